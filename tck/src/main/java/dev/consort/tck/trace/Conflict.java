// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.trace;

import dev.consort.tck.memory.Access;

/**
 * Two accesses to the same bytes, at least one a write, of which neither happens before the other.
 *
 * @param first in words, the one that was asked for first
 */
public record Conflict(String first, Access firstAccess, String second, Access secondAccess) {
  @Override
  public String toString() {
    return "%s (%s) and %s (%s) touch the same bytes in no order"
        .formatted(first, firstAccess, second, secondAccess);
  }
}
