// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/**
 * Whether a device can run something.
 *
 * @param reason why not; empty if it can
 */
@Stable(since = "1.0")
public record Support(boolean supported, String reason) {
  private static final Support YES = new Support(true, "");

  public static Support yes() {
    return YES;
  }

  public static Support no(String reason) {
    return new Support(false, reason);
  }
}
