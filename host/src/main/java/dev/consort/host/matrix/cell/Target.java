// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import java.util.List;

/**
 * A device or a mix: one column.
 *
 * @param name what users call it, as in {@code cpu:0*2@3/1}
 * @param members ids of devices, the same one several times for virtual members
 * @param shares of the work, one a member
 */
public record Target(String name, List<String> members, List<Double> shares) {
  public Target {
    members = List.copyOf(members);
    shares = List.copyOf(shares);
  }

  /** Whether several members make it. */
  public boolean isMix() {
    return members.size() > 1;
  }
}
