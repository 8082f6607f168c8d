// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.Device;
import dev.consort.tck.ConformanceTest;
import dev.consort.tck.Declaration;
import dev.consort.tck.Subject;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.ExtendWith;

/** The conformance kit on the second Vulkan device of this machine. */
@ExtendWith(Rig.Closing.class)
class SecondDeviceKitTest extends ConformanceTest {
  @Override
  protected Subject subject() {
    List<Device> devices = Rig.devices().toList();
    Assumptions.assumeTrue(devices.size() > 1, "no second Vulkan device");
    return Subject.of(devices.get(1), Declaration.everything());
  }
}
