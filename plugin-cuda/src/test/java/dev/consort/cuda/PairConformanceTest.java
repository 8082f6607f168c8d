// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Device;
import dev.consort.tck.CollectiveTests;
import dev.consort.tck.Declaration;
import dev.consort.tck.Subject;
import java.util.List;

/** The kit's collectives over distinct CUDA devices of this machine. */
class PairConformanceTest extends CollectiveTests {
  @Override
  protected Subject subject() {
    TestDevices.atLeast(2);
    return new Subject() {
      @Override
      public Device device() {
        return TestDevices.atLeast(1).getFirst();
      }

      @Override
      public Declaration declaration() {
        return Declaration.everything();
      }

      @Override
      public List<Device> members(int count) {
        return TestDevices.atLeast(count).subList(0, count);
      }
    };
  }
}
