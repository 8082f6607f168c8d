// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

/**
 * What one member has of a model.
 *
 * @param id the device's id; equal for virtual members
 * @param name what the driver calls it
 * @param weightBytes weights that are split, this member's slices
 * @param mirroredBytes weights that every member holds whole, such as norms
 * @param cacheBytes cache
 */
public record MemberReport(
    String id, String name, long weightBytes, long mirroredBytes, long cacheBytes) {
  public long bytes() {
    return weightBytes + mirroredBytes + cacheBytes;
  }

  public boolean isIdle() {
    return bytes() == 0;
  }
}
