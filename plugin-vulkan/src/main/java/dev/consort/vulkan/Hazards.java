// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import java.util.Arrays;

/** The ranges of device memory used since the last barrier. Grows, but makes no garbage. */
final class Hazards {
  private long[] starts = new long[64];
  private long[] ends = new long[64];
  private boolean[] writes = new boolean[64];
  private int count;

  void clear() {
    count = 0;
  }

  /** Whether an access must come after one that is listed. */
  boolean conflicts(long address, long bytes, boolean write) {
    for (int i = 0; i < count; i++) {
      if ((write || writes[i]) && address < ends[i] && starts[i] < address + bytes) {
        return true;
      }
    }
    return false;
  }

  void add(long address, long bytes, boolean write) {
    if (bytes == 0) {
      return;
    }
    if (count == starts.length) {
      starts = Arrays.copyOf(starts, count * 2);
      ends = Arrays.copyOf(ends, count * 2);
      writes = Arrays.copyOf(writes, count * 2);
    }
    starts[count] = address;
    ends[count] = address + bytes;
    writes[count++] = write;
  }
}
