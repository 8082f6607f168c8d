// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import java.lang.foreign.MemorySegment;

/**
 * Cuts a part out of a segment; the same part as last time makes no garbage. For one thread at a
 * time.
 */
public final class LastSlice {
  private MemorySegment whole = MemorySegment.NULL;
  private MemorySegment slice = MemorySegment.NULL;
  private long offset;

  /** The bytes from {@code from} on. */
  public MemorySegment of(MemorySegment segment, long from, long bytes) {
    if (from == 0 && bytes == segment.byteSize()) {
      return segment;
    }
    if (segment != whole || from != offset || bytes != slice.byteSize()) {
      slice = segment.asSlice(from, bytes);
      whole = segment;
      offset = from;
    }
    return slice;
  }
}
