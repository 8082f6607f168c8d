// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/**
 * What is known about a device without starting it.
 *
 * @param plugin the plugin's name, {@code vulkan}
 * @param index the device's number within its plugin
 * @param name what the driver calls it, {@code llvmpipe (LLVM 15.0.6, 256 bits)}
 * @param kind what it is
 * @param software whether a program stands in for the hardware; such GPUs are never chosen by
 *     default
 * @param driver driver name and version, or an empty string
 * @param arithmeticClass devices with equal strings give bitwise equal results for equal plans
 */
@Stable(since = "1.0")
public record DeviceInfo(
    String plugin,
    int index,
    String name,
    DeviceKind kind,
    boolean software,
    String driver,
    String arithmeticClass) {

  /** The name by which users select it: {@code vulkan:1}. */
  public String id() {
    return plugin + ":" + index;
  }
}
