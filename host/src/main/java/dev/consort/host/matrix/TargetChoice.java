// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import java.util.List;

/** Which columns a matrix has. */
public sealed interface TargetChoice {
  /** Every device, and mixes of those that compute differently: pairs, and all together. */
  record Standard() implements TargetChoice {}

  /**
   * These.
   *
   * @param devices as {@link dev.consort.host.plugin.DeviceSelection} names one
   * @param mixes lists of members as it names several, {@code @3/1} behind them for uneven shares
   */
  record Named(List<String> devices, List<String> mixes) implements TargetChoice {
    public Named {
      devices = List.copyOf(devices);
      mixes = List.copyOf(mixes);
    }
  }

  static TargetChoice standard() {
    return new Standard();
  }

  static TargetChoice named(List<String> devices, List<String> mixes) {
    return new Named(devices, mixes);
  }
}
