// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static dev.consort.cuda.driver.CudaError.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How Hopper's copy engine finds tiles of a matrix of 16-bit elements; they come to shared memory
 * in the pattern of 128 bytes that its products read.
 *
 * @param address a multiple of 16
 * @param rowBytes from row to row, a multiple of 16
 */
public record TileMap(
    Element element,
    long address,
    long columns,
    long rows,
    long rowBytes,
    int tileColumns,
    int tileRows) {
  /** The elements' type, with the driver's number. */
  public enum Element {
    F16(6),
    BF16(9);

    private final int number;

    Element(int number) {
      this.number = number;
    }
  }

  /** sizeof(CUtensorMap), and its alignment. */
  private static final long BYTES = 128;

  private static final long ALIGNMENT = 64;
  private static final int SWIZZLE_128_BYTES = 3;
  private static final int PROMOTE_256_BYTES = 3;

  /** As the kernel takes it. */
  public byte[] encode() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment map = arena.allocate(BYTES, ALIGNMENT);
      check(
          "cuTensorMapEncodeTiled",
          Calls.encodeTiled(
              map,
              element.number,
              address,
              arena.allocateFrom(ValueLayout.JAVA_LONG, columns, rows),
              arena.allocateFrom(ValueLayout.JAVA_LONG, rowBytes),
              arena.allocateFrom(ValueLayout.JAVA_INT, tileColumns, tileRows),
              arena.allocateFrom(ValueLayout.JAVA_INT, 1, 1),
              SWIZZLE_128_BYTES,
              PROMOTE_256_BYTES));
      return map.toArray(ValueLayout.JAVA_BYTE);
    }
  }
}
