// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.verify;

import java.util.List;

/**
 * What the kit found.
 *
 * @param plugin the plugin's name and version
 * @param device id and name of the device that was tested
 * @param devices ids of all its devices
 */
public record VerifyReport(
    String plugin, String device, List<String> devices, List<VerifyResult> results) {
  public VerifyReport {
    devices = List.copyOf(devices);
    results = List.copyOf(results);
  }

  public List<VerifyResult> of(VerifyState state) {
    return results.stream().filter(result -> result.state() == state).toList();
  }

  /** Whether something passed, nothing failed, and no test ended the JVM. */
  public boolean isGreen() {
    return !of(VerifyState.PASSED).isEmpty()
        && of(VerifyState.FAILED).isEmpty()
        && of(VerifyState.CRASHED).isEmpty();
  }
}
