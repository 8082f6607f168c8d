// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.Device;
import dev.consort.spi.BackendProvider;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import dev.consort.vulkan.vk.Adapter;
import dev.consort.vulkan.vk.Instance;
import java.util.ArrayList;
import java.util.List;

/** Every device of every Vulkan driver that the loader knows and that has what the kernels need. */
public final class VulkanProvider implements BackendProvider {
  private static final String VERSION = "0.1.0";

  @Override
  public String name() {
    return "vulkan";
  }

  @Override
  public Registration register(PluginContext context) {
    Instance instance;
    try {
      instance = Instance.open(context.nativeDirectory());
    } catch (Instance.Unavailable e) {
      return Registration.unavailable(VERSION, e.getMessage());
    }
    List<Device> devices = new ArrayList<>();
    List<String> lacking = new ArrayList<>();
    for (Adapter adapter : instance.adapters()) {
      if (adapter.missing().isEmpty()) {
        devices.add(new VulkanDevice(adapter, devices.size(), tuning(adapter, context)));
      } else {
        lacking.add(adapter.name() + " has no " + adapter.missing());
      }
    }
    if (devices.isEmpty()) {
      instance.close();
      return Registration.unavailable(
          VERSION,
          lacking.isEmpty()
              ? "the Vulkan loader found no device"
              : "no Vulkan device can be used: " + String.join(", ", lacking));
    }
    return Registration.of(VERSION, devices, () -> close(devices, instance));
  }

  /** {@code matrix_cores=off} trades fast products of many columns in F16 for slow ones in F32. */
  private static Tuning tuning(Adapter adapter, PluginContext context) {
    Tuning tuning = Tuning.of(adapter);
    boolean unwanted = context.setting("matrix_cores").filter("off"::equals).isPresent();
    return unwanted ? tuning.withoutMatrixCores() : tuning;
  }

  private static void close(List<Device> devices, Instance instance) {
    devices.forEach(device -> ((VulkanDevice) device).close());
    instance.close();
  }
}
