// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/** What kind of hardware, or stand-in for it, a device is. */
@Stable(since = "1.0")
public enum DeviceKind {
  CPU,
  /** A GPU with memory of its own. */
  GPU,
  /** A GPU that shares the host's memory. */
  IGPU,
  /** Any other accelerator. */
  ACCEL,
  /** A device made of devices. */
  META
}
