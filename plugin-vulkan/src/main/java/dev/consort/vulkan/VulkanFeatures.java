// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.vulkan.vk.Adapter;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a device can do, for people to read. */
final class VulkanFeatures {
  private VulkanFeatures() {}

  static Map<String, String> of(Adapter adapter) {
    Adapter.Limits limits = adapter.limits();
    Map<String, String> features = new LinkedHashMap<>();
    features.put("vulkan", adapter.apiVersion());
    features.put("driver", adapter.driver());
    features.put("subgroup", Integer.toString(limits.subgroup()));
    features.put("workgroup", Integer.toString(limits.invocations()));
    features.put("shared memory", limits.sharedBytes() + " B");
    features.put("largest allocation", (limits.allocation() >> 20) + " MiB");
    features.put("host memory import", adapter.importsHostMemory() ? "yes" : "no");
    features.put("F16 matrix cores", limits.halfMatrix() ? "yes" : "no");
    return features;
  }
}
