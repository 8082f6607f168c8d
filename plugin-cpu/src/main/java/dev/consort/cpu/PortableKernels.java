// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The kernels in Java, for processors and systems without native ones. Reads the same steps. */
final class PortableKernels implements Kernels {
  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
  private static final long ARRIVED = 0;
  private static final long EPOCH = 8;
  private static final int SPINS = 2000;
  private static final Logger LOG = LoggerFactory.getLogger(PortableKernels.class);

  private final ThreadLocal<PortableWorker> workers = ThreadLocal.withInitial(PortableWorker::new);
  private final AtomicReference<@Nullable IllegalStateException> failure = new AtomicReference<>();

  PortableKernels() {
    if (!Vectors.PRESENT) {
      LOG.warn(
          "the CPU computes without vectors, some twenty times slower than with them; start java"
              + " with --add-modules jdk.incubator.vector");
    }
  }

  @Override
  public String name() {
    return "portable";
  }

  @Override
  public void run(long steps, long count, long team, int threads, int thread, long room) {
    long first = steps;
    for (long i = 0; i < count; i++) {
      long step = steps + i * StepLayout.STEP_BYTES;
      items(step, threads, thread, room);
      if (Memory.ALL.get(ValueLayout.JAVA_INT, step + StepLayout.BARRIER) != 0) {
        barrier(team, threads, first, step);
        first = step + StepLayout.STEP_BYTES;
      }
    }
  }

  private void items(long step, int threads, int thread, long room) {
    try {
      PortableWorker worker = workers.get();
      long items = worker.load(step, room);
      int ranges = Math.min(threads, StepLayout.RANGES);
      for (int r = 0; r < ranges; r++) {
        int range = (thread + r) % ranges;
        long from = items * range / ranges;
        long count = items * (range + 1) / ranges - from;
        long taken = taken(step, range);
        for (long item = take(taken); item < count; item = take(taken)) {
          worker.item(from + item);
        }
      }
    } catch (RuntimeException | Error e) {
      // The others wait at the barrier, so the error is reported behind it.
      failure.compareAndSet(null, new IllegalStateException(e));
    }
  }

  private static long taken(long step, int range) {
    return step + StepLayout.TAKEN + (long) range * StepLayout.RANGE_BYTES;
  }

  private static long take(long taken) {
    return (long) LONG.getAndAdd(Memory.ALL, taken, 1L);
  }

  /** The last to arrive makes the finished steps ready for the next run. */
  private static void barrier(long team, int threads, long first, long last) {
    long epoch = (long) LONG.getAcquire(Memory.ALL, team + EPOCH);
    if ((long) LONG.getAndAdd(Memory.ALL, team + ARRIVED, 1L) == threads - 1) {
      for (long step = first; step <= last; step += StepLayout.STEP_BYTES) {
        for (int range = 0; range < StepLayout.RANGES; range++) {
          Memory.ALL.set(ValueLayout.JAVA_LONG, taken(step, range), 0L);
        }
      }
      LONG.setVolatile(Memory.ALL, team + ARRIVED, 0L);
      LONG.setVolatile(Memory.ALL, team + EPOCH, epoch + 1);
      return;
    }
    for (int spins = 0; (long) LONG.getAcquire(Memory.ALL, team + EPOCH) == epoch; spins++) {
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  @Override
  public void check() {
    IllegalStateException first = failure.getAndSet(null);
    if (first != null) {
      throw first;
    }
  }

  @Override
  public Allocated allocate(long bytes) {
    Arena arena = Arena.ofShared();
    try {
      return new Allocated(arena.allocate(bytes, CpuBufferType.ALIGNMENT), arena::close);
    } catch (OutOfMemoryError e) {
      arena.close();
      throw Kernels.outOfMemory(bytes);
    }
  }

  @Override
  public void unpack(View packed, long offset, MemorySegment to) {
    PortablePanels.of(packed).get(offset, to, 0, to.byteSize());
  }
}
