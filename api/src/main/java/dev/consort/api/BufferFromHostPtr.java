// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** {@code buffer_from_host_ptr}: host memory, such as a mapped file, used in place. */
@Stable(since = "1.0")
public interface BufferFromHostPtr {
  /** Bytes that a segment's address and size must be multiples of. */
  long alignment();

  /**
   * A buffer over the segment, which must outlive it, or nothing where that does not work. The data
   * have been checked to arrive before the first answer.
   */
  Optional<Buffer> wrap(MemorySegment memory);
}
