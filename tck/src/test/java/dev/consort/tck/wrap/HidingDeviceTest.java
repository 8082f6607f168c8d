// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.wrap;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.GraphBuilder;
import dev.consort.api.ProcAddress;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import dev.consort.tck.reference.ReferenceDevice;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class HidingDeviceTest {
  static final List<ProcAddress<?>> ADDRESSES = ProcAddresses.all();

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void hidesOneAndShowsTheOthers(ProcAddress<?> hidden) {
    Device device = new HidingDevice(new ReferenceDevice(0), hidden);
    for (ProcAddress<?> address : ADDRESSES) {
      assertThat(device.find(address).isPresent())
          .as("%s where %s is hidden", address, hidden)
          .isEqualTo(address != hidden);
    }
  }

  @Test
  void aLimitedDeviceRefusesWithItsReason() {
    GraphBuilder builder = new GraphBuilder();
    Tensor x = builder.input("x", DataType.F32, Shape.of(4));
    Tensor sum = builder.add(x, x);
    Tensor norm = builder.rmsNorm(x, 0);
    Device device =
        new LimitedDevice(
            new ReferenceDevice(0), node -> node.operation().label().equals("add"), "no sums");
    assertThat(device.supports(sum).reason()).isEqualTo("no sums");
    assertThat(device.supports(norm).supported()).isTrue();
  }
}
