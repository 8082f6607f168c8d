// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/** {@code copy_tensor_async}: copies between devices of one plugin without passing the caller. */
@Stable(since = "1.0")
public interface CopyTensor {
  /** Whether data can go this way; verified with data before the first yes. */
  boolean connects(Device from, Device to);

  /**
   * Copies bytes. The copy belongs to both streams by the bytes it touches: it starts after earlier
   * commands of either that conflict with it, and later ones that do start after it. An event
   * recorded in either stream afterwards covers it. See {@code docs/ordering.md}, rule 2.
   */
  void copy(
      Backend fromBackend,
      Storage from,
      long fromOffset,
      Backend toBackend,
      Storage to,
      long toOffset,
      long bytes);
}
