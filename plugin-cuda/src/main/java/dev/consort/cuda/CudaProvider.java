// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Device;
import dev.consort.cuda.driver.CudaError;
import dev.consort.cuda.driver.Driver;
import dev.consort.cuda.driver.Gpu;
import dev.consort.spi.BackendProvider;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import java.util.ArrayList;
import java.util.List;

/** Every device of the CUDA driver that the kernels run on. */
public final class CudaProvider implements BackendProvider {
  private static final String VERSION = "0.1.0";

  /** The kernels are compiled for this compute capability, and run on newer ones. */
  private static final int OLDEST = 80;

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public Registration register(PluginContext context) {
    List<Device> devices = new ArrayList<>();
    List<String> lacking = new ArrayList<>();
    try {
      CudaHost host = new CudaHost();
      Settings settings = Settings.of(context);
      for (Gpu gpu : Driver.open()) {
        if (gpu.computeCapability() >= OLDEST) {
          devices.add(new CudaDevice(gpu, devices.size(), host, settings));
        } else {
          lacking.add(
              "%s has compute capability %.1f, 8.0 is needed"
                  .formatted(gpu.name(), gpu.computeCapability() / 10.0));
        }
      }
    } catch (Driver.Unavailable | CudaError e) {
      return Registration.unavailable(VERSION, String.valueOf(e.getMessage()));
    }
    if (devices.isEmpty()) {
      return Registration.unavailable(
          VERSION,
          lacking.isEmpty() ? "the CUDA driver found no device" : String.join("; ", lacking));
    }
    return Registration.of(VERSION, devices, () -> close(devices));
  }

  private static void close(List<Device> devices) {
    devices.forEach(device -> ((CudaDevice) device).close());
  }
}
