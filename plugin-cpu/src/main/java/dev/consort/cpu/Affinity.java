// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which cores a thread may run on. Linux only: elsewhere {@link Topology} has no nodes. */
final class Affinity {
  private static final Logger LOG = LoggerFactory.getLogger(Affinity.class);
  private static final long MASK_BYTES = 1024;
  private static final MethodHandle SET =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("sched_setaffinity"),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.ADDRESS));

  private Affinity() {}

  /** Lets the calling thread run on these cores alone; says so where the system refuses. */
  static void pin(List<Integer> cores) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(MASK_BYTES, 8);
      for (int core : cores) {
        long word = core / 64;
        long bits = mask.getAtIndex(ValueLayout.JAVA_LONG, word);
        mask.setAtIndex(ValueLayout.JAVA_LONG, word, bits | 1L << core % 64);
      }
      int failed = (int) SET.invokeExact(0, MASK_BYTES, mask);
      if (failed != 0) {
        LOG.warn("the system does not let threads be pinned to cores {}", cores);
      }
    } catch (Throwable e) {
      throw new IllegalStateException("a native call failed", e);
    }
  }

  /** The result of work that is done by a thread on these cores. */
  static <T> T on(List<Integer> cores, Supplier<T> work) {
    var result = new CompletableFuture<T>();
    Thread.ofPlatform()
        .name("consort-cpu-near")
        .daemon()
        .start(
            () -> {
              try {
                pin(cores);
                result.complete(work.get());
              } catch (RuntimeException | Error e) {
                result.completeExceptionally(e);
              }
            });
    try {
      return result.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }
}
