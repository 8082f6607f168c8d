// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.host.Closing;
import dev.consort.host.meta.LastSlice;
import dev.consort.host.meta.Staging;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Host memory for the rows of logits that an evaluation gives; where a member has a kind of its own
 * the device writes there itself.
 */
final class Logits implements AutoCloseable {
  /** That kind is scarce, and many rows are not waited for one by one. */
  private static final long MOST_PINNED = 32 << 20;

  private final long rowBytes;
  private final Device member;
  private final LastSlice several = new LastSlice();
  private Deque<AutoCloseable> owned = new ArrayDeque<>();
  private MemorySegment all = MemorySegment.NULL;
  private MemorySegment[] rows = new MemorySegment[0];
  private int given;

  /**
   * @param member whose kind of host memory is taken
   */
  Logits(int vocabulary, Device member) {
    this.rowBytes = 4L * vocabulary;
    this.member = member;
  }

  /** Makes room for an evaluation; what the last one gave is gone. */
  void reserve(int count) {
    given = 0;
    if (count <= rows.length) {
      return;
    }
    Deque<AutoCloseable> larger = new ArrayDeque<>();
    try {
      all = allocate(rowBytes * count, larger);
    } catch (RuntimeException | Error e) {
      Closing.quietly(larger);
      throw e;
    }
    Closing.all(owned);
    owned = larger;
    rows = new MemorySegment[count];
    for (int i = 0; i < count; i++) {
      rows[i] = all.asSlice(i * rowBytes, rowBytes);
    }
  }

  private MemorySegment allocate(long bytes, Deque<AutoCloseable> larger) {
    Arena arena = Arena.ofShared();
    larger.addFirst(arena);
    return bytes <= MOST_PINNED
        ? Staging.allocate(member, bytes, arena, larger)
        : arena.allocate(bytes, 64);
  }

  /** Where the next rows go. */
  MemorySegment next(int count) {
    MemorySegment place =
        count == 1 ? rows[given] : several.of(all, given * rowBytes, count * rowBytes);
    given += count;
    return place;
  }

  /** How many rows there are. */
  int count() {
    return given;
  }

  MemorySegment row(int index) {
    if (index < 0 || index >= given) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found row %d, expected one of the %d rows of logits that the last evaluation gave"
              .formatted(index, given));
    }
    return rows[index];
  }

  @Override
  public void close() {
    Closing.all(owned);
    owned = new ArrayDeque<>();
  }
}
