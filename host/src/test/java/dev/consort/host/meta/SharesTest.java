// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.wrap.LimitedDevice;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SharesTest {
  @Test
  void withRoomForAllTheSharesFollowTheSpeeds() {
    assertThat(Shares.capped(new double[] {3, 1}, new double[] {9, 9}))
        .containsExactly(new double[] {0.75, 0.25}, within(1e-9));
  }

  @Test
  void whatDoesNotFitAFastMemberGoesToTheOthers() {
    assertThat(Shares.capped(new double[] {8, 1, 1}, new double[] {0.5, 9, 0.2}))
        .containsExactly(new double[] {0.5, 0.3, 0.2}, within(1e-9));
  }

  @Test
  void whereNothingFitsTheMembersAreFilled() {
    assertThat(Shares.capped(new double[] {1, 1}, new double[] {0.1, 0.2}))
        .containsExactly(new double[] {0.1, 0.2}, within(1e-9));
  }

  @Test
  void membersOfOneDeviceShareEvenlyWithoutMeasuring() {
    Device one = new ReferenceDevice(0);
    assertThat(Shares.measured(List.of(one, one, one), 1 << 30)).containsExactly(1, 1, 1);
  }

  @Test
  void devicesOfOneMakeAreEquallyFast() {
    Device[] devices = {new ReferenceDevice(0), new ReferenceDevice(1), new ReferenceDevice(2)};
    Map<Device, Double> speeds = new HashMap<>();
    speeds.put(devices[0], 9.0);
    speeds.put(devices[1], 11.0);
    speeds.put(devices[2], 0.0);
    Shares.level(speeds);
    assertThat(speeds).containsEntry(devices[0], 10.0).containsEntry(devices[1], 10.0);
    assertThat(speeds).containsEntry(devices[2], 0.0);
  }

  @Test
  void aDeviceThatMultipliesNothingGetsNothing() {
    Device able = new ReferenceDevice(0);
    Device unable = new LimitedDevice(new ReferenceDevice(1), node -> true, "a test says so");
    double[] shares = Shares.measured(List.of(able, unable), 1 << 20);
    assertThat(shares).containsExactly(1, 0);
  }

  @Test
  void aDeviceWithoutQ8IsMeasuredWithAnotherType() {
    Device able = new ReferenceDevice(0);
    Device plain =
        new LimitedDevice(
            new ReferenceDevice(1), node -> node.source(0).type() == DataType.Q8_0, "no Q8_0");
    assertThat(Shares.measured(List.of(able, plain), 1 << 20)[1]).isPositive();
  }
}
