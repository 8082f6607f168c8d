// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One step of a segment while it is put together: parameters, and the memory it touches. */
final class Step {
  /** Bytes from {@code from} to before {@code to}. */
  record Range(long from, long to) {
    boolean isEmpty() {
      return from == to;
    }

    boolean meets(Range other) {
      return from < other.to && other.from < to;
    }
  }

  private static final Range NONE = new Range(0, 0);

  private final StepCode code;
  private final long items;
  private final long[] a = new long[StepLayout.A_COUNT];
  private final float[] f = new float[StepLayout.F_COUNT];
  private final int[] i = new int[StepLayout.I_COUNT];
  private final @Nullable View[] sources = new View[StepLayout.SOURCES];
  private @Nullable View result;
  private final List<Range> reads = new ArrayList<>();
  private final List<Range> writes = new ArrayList<>();
  private boolean barrier;
  private Range weights = NONE;
  private Range ahead = NONE;

  /**
   * A step of {@code items} items that any thread may take in any order.
   *
   * @param items negative when the kernel counts them while it runs
   */
  Step(StepCode code, long items) {
    this.code = code;
    this.items = items;
  }

  Step source(int index, View view) {
    sources[index] = view;
    reads.add(new Range(view.address(), view.end()));
    return this;
  }

  Step result(View view) {
    result = view;
    writes.add(new Range(view.address(), view.end()));
    return this;
  }

  Step a(int index, long value) {
    a[index] = value;
    return this;
  }

  Step f(int index, float value) {
    f[index] = value;
    return this;
  }

  Step i(int index, int value) {
    i[index] = value;
    return this;
  }

  Step reads(long address, long bytes) {
    reads.add(new Range(address, address + bytes));
    return this;
  }

  Step writes(long address, long bytes) {
    writes.add(new Range(address, address + bytes));
    return this;
  }

  /** The step reads this memory once, from its beginning to its end. */
  Step streams(long address, long bytes) {
    weights = new Range(address, address + bytes);
    return this;
  }

  /** What {@link #streams} was told; empty if it was not. */
  Range streamed() {
    return weights;
  }

  /** Who waits at the barrier fetches the beginning of this memory. */
  void ahead(Range range) {
    ahead = range;
  }

  boolean hasBarrier() {
    return barrier;
  }

  /** Whether this step may not run while the other does, or before it. */
  boolean conflicts(Step earlier) {
    return meet(writes, earlier.writes)
        || meet(writes, earlier.reads)
        || meet(reads, earlier.writes);
  }

  private static boolean meet(List<Range> some, List<Range> others) {
    for (Range one : some) {
      for (Range other : others) {
        if (one.meets(other)) {
          return true;
        }
      }
    }
    return false;
  }

  Step barrier() {
    barrier = true;
    return this;
  }

  /** Writes the step for the kernels. */
  void write(MemorySegment to) {
    to.fill((byte) 0);
    to.set(ValueLayout.JAVA_INT, StepLayout.CODE, code.number());
    to.set(ValueLayout.JAVA_INT, StepLayout.BARRIER, barrier ? 1 : 0);
    to.set(ValueLayout.JAVA_LONG, StepLayout.ITEMS, items);
    to.set(ValueLayout.JAVA_LONG, StepLayout.AHEAD, ahead.from());
    to.set(ValueLayout.JAVA_LONG, StepLayout.AHEAD_BYTES, ahead.to() - ahead.from());
    MemorySegment.copy(a, 0, to, ValueLayout.JAVA_LONG, StepLayout.A, a.length);
    MemorySegment.copy(f, 0, to, ValueLayout.JAVA_FLOAT, StepLayout.F, f.length);
    MemorySegment.copy(i, 0, to, ValueLayout.JAVA_INT, StepLayout.I, i.length);
    if (result != null) {
      write(result, to.asSlice(StepLayout.DST, StepLayout.TENSOR_BYTES));
    }
    for (int s = 0; s < sources.length; s++) {
      View source = sources[s];
      if (source != null) {
        long at = StepLayout.SRC + (long) s * StepLayout.TENSOR_BYTES;
        write(source, to.asSlice(at, StepLayout.TENSOR_BYTES));
      }
    }
  }

  private static void write(View view, MemorySegment to) {
    to.set(ValueLayout.JAVA_LONG, StepLayout.DATA, view.address());
    for (int axis = 0; axis < 4; axis++) {
      to.set(ValueLayout.JAVA_LONG, StepLayout.NE + 8L * axis, view.shape().ne(axis));
      to.set(ValueLayout.JAVA_LONG, StepLayout.NB + 8L * axis, view.strides().nb(axis));
    }
    to.set(ValueLayout.JAVA_INT, StepLayout.TYPE, view.type().ggufId());
  }
}
