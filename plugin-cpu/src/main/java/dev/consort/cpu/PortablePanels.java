// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Bytes of a packed tensor by where its data type would have them. A unit of a panel holds the same
 * two bytes of each of its rows; those of a block lie in {@link PortableOrder}.
 */
final class PortablePanels {
  private final long base;
  private final long rowBytes;
  private final long rows;
  private final int[] order;

  /**
   * @param base address of the tensor
   * @param k elements of a row
   * @param rows rows of one matrix
   */
  PortablePanels(DataType type, long base, long k, long rows) {
    this.base = base;
    this.rowBytes = type.bytes(k);
    this.rows = rows;
    this.order = PortableOrder.of(type);
  }

  static PortablePanels of(View packed) {
    return new PortablePanels(
        packed.type(), packed.address(), packed.shape().ne0(), packed.shape().ne1());
  }

  /** Writes bytes at an offset. */
  void set(long offset, MemorySegment from, long fromOffset, long bytes) {
    move(offset, from, fromOffset, bytes, Way.IN);
  }

  /** Reads bytes at an offset. */
  void get(long offset, MemorySegment to, long toOffset, long bytes) {
    move(offset, to, toOffset, bytes, Way.OUT);
  }

  private enum Way {
    IN,
    OUT
  }

  private void move(long offset, MemorySegment other, long at, long bytes, Way way) {
    long end = offset + bytes;
    while (offset < end) {
      long row = offset / rowBytes;
      long first = offset % rowBytes;
      long count = Math.min(rowBytes - first, end - offset);
      long panel = panel(row);
      if (panel == 0) {
        plain(offset, other, at, count, way);
      } else if (first % 2 == 0 && count % 2 == 0) {
        units(panel, first / 2, other, at, count / 2, way);
      } else {
        bytes(panel, first, other, at, count, way);
      }
      offset += count;
      at += count;
    }
  }

  /** Address of a row's part of the first unit, or 0 for a row outside of panels. */
  private long panel(long row) {
    long lane = row % rows % Vectors.LANES;
    boolean inPanel = row % rows < rows - rows % Vectors.LANES;
    return inPanel ? base + (row - lane) * rowBytes + 2 * lane : 0;
  }

  private void plain(long offset, MemorySegment other, long at, long count, Way way) {
    if (way == Way.IN) {
      MemorySegment.copy(other, at, Memory.ALL, base + offset, count);
    } else {
      MemorySegment.copy(Memory.ALL, base + offset, other, at, count);
    }
  }

  private void units(long panel, long first, MemorySegment other, long at, long count, Way way) {
    long block = panel + first / order.length * order.length * 2 * Vectors.LANES;
    int unit = (int) (first % order.length);
    for (long end = at + 2 * count; at < end; at += 2) {
      long place = block + 2L * Vectors.LANES * order[unit];
      if (way == Way.IN) {
        short value = other.get(ValueLayout.JAVA_SHORT_UNALIGNED, at);
        Memory.ALL.set(ValueLayout.JAVA_SHORT, place, value);
      } else {
        short value = Memory.ALL.get(ValueLayout.JAVA_SHORT, place);
        other.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, value);
      }
      if (++unit == order.length) {
        unit = 0;
        block += 2L * Vectors.LANES * order.length;
      }
    }
  }

  private void bytes(long panel, long first, MemorySegment other, long at, long count, Way way) {
    for (long i = 0; i < count; i++) {
      long unit = (first + i) / 2;
      long block = unit / order.length * order.length;
      long place = block + order[(int) (unit % order.length)];
      long byteAt = panel + 2 * Vectors.LANES * place + (first + i) % 2;
      if (way == Way.IN) {
        Memory.ALL.set(ValueLayout.JAVA_BYTE, byteAt, other.get(ValueLayout.JAVA_BYTE, at + i));
      } else {
        other.set(ValueLayout.JAVA_BYTE, at + i, Memory.ALL.get(ValueLayout.JAVA_BYTE, byteAt));
      }
    }
  }
}
