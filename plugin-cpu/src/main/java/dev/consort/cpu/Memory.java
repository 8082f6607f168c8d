// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import java.lang.foreign.MemorySegment;

/** Addresses as segments. */
final class Memory {
  /**
   * All there is: an address is its own offset. For addresses that a buffer or a caller vouches
   * for.
   */
  static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private Memory() {}
}
