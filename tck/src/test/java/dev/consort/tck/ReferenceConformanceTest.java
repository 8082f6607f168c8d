// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.api.Device;
import dev.consort.spi.BackendProvider;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceProvider;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;

class ReferenceConformanceTest extends ConformanceTest {
  @Override
  protected Subject subject() {
    Device device = new ReferenceDevice(0);
    return new Subject() {
      @Override
      public Device device() {
        return device;
      }

      @Override
      public Declaration declaration() {
        return Declaration.everything();
      }

      @Override
      public Optional<Supplier<? extends BackendProvider>> provider() {
        return Optional.of(ReferenceProvider::new);
      }

      @Override
      public List<Device> members(int count) {
        return IntStream.range(0, count).<Device>mapToObj(ReferenceDevice::new).toList();
      }
    };
  }
}
