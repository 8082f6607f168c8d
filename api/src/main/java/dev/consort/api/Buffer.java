// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** A piece of memory of one type. Owned by whoever allocated it; closed once nothing uses it. */
@Stable(since = "1.0")
public interface Buffer extends AutoCloseable {
  BufferType type();

  long bytes();

  /** The memory itself, if the host can read and write it in place while the device is idle. */
  Optional<MemorySegment> host();

  /** Fills the whole buffer with a byte. Blocks until that is done. */
  void fill(byte value);

  /** Frees the memory; the device no longer uses it. Closing twice does nothing. */
  @Override
  void close();
}
