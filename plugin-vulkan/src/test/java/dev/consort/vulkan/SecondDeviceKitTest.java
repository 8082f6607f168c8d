// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.tck.ConformanceTest;
import dev.consort.tck.Declaration;
import dev.consort.tck.Subject;
import java.util.Map;

/** The conformance kit on the second Vulkan device of this machine. */
class SecondDeviceKitTest extends ConformanceTest {
  @Override
  protected Subject subject() {
    return Subject.of(VulkanProvider::new, 1, Map.of(), Declaration.everything());
  }
}
