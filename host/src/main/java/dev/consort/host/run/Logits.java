// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Host memory for the rows of logits that an evaluation gives. */
final class Logits implements AutoCloseable {
  private final long rowBytes;
  private Arena arena = Arena.ofShared();
  private MemorySegment all = MemorySegment.NULL;
  private MemorySegment[] rows = new MemorySegment[0];
  private int given;

  Logits(int vocabulary) {
    this.rowBytes = 4L * vocabulary;
  }

  /** Makes room for an evaluation; what the last one gave is gone. */
  void reserve(int count) {
    given = 0;
    if (count <= rows.length) {
      return;
    }
    Arena larger = Arena.ofShared();
    try {
      all = larger.allocate(rowBytes * count, 64);
    } catch (RuntimeException | Error e) {
      larger.close();
      throw e;
    }
    arena.close();
    arena = larger;
    rows = new MemorySegment[count];
    for (int i = 0; i < count; i++) {
      rows[i] = all.asSlice(i * rowBytes, rowBytes);
    }
  }

  /** Where the next rows go. */
  MemorySegment next(int count) {
    MemorySegment place =
        count == 1 ? rows[given] : all.asSlice(given * rowBytes, count * rowBytes);
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
    arena.close();
  }
}
