// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static dev.consort.cuda.driver.CudaError.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One launch of a kernel.
 *
 * @param function as {@link Modules#function} gives it
 * @param threads of a block
 * @param arguments the one structure that the kernel takes by value
 */
public record Launch(
    long function,
    int x,
    int y,
    int z,
    int threads,
    int sharedBytes,
    byte[] arguments,
    Start start) {
  /** When a launch may begin; a kernel that begins early waits for the one before by itself. */
  public enum Start {
    AFTER_PREVIOUS,
    DURING_PREVIOUS
  }

  /** sizeof(CUlaunchConfig). */
  private static final long CONFIG_BYTES = 56;

  /** sizeof(CUlaunchAttribute). */
  private static final long ATTRIBUTE_BYTES = 72;

  /** CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION. */
  private static final int PROGRAMMATIC = 6;

  /** Adds it to the stream, or to the graph that the stream is recorded into. */
  public void enqueue(Stream stream) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment config = config(arena, threads);
      place(config, x, y, z, stream);
      config.set(ValueLayout.JAVA_INT, 24, sharedBytes);
      if (start == Start.DURING_PREVIOUS) {
        MemorySegment attribute = arena.allocate(ATTRIBUTE_BYTES, 8);
        attribute.set(ValueLayout.JAVA_INT, 0, PROGRAMMATIC);
        attribute.set(ValueLayout.JAVA_INT, 8, 1);
        config.set(ValueLayout.ADDRESS, 40, attribute);
        config.set(ValueLayout.JAVA_INT, 48, 1);
      }
      MemorySegment values = arena.allocate(arguments.length, 64);
      values.copyFrom(MemorySegment.ofArray(arguments));
      MemorySegment pointers = arena.allocate(8, 8);
      pointers.set(ValueLayout.ADDRESS, 0, values);
      check("cuLaunchKernelEx", Calls.launch(config.address(), function, pointers.address()));
    }
  }

  /** A CUlaunchConfig for blocks of so many threads. */
  static MemorySegment config(Arena arena, int threads) {
    MemorySegment config = arena.allocate(CONFIG_BYTES, 8);
    config.set(ValueLayout.JAVA_INT, 12, threads);
    config.set(ValueLayout.JAVA_INT, 16, 1);
    config.set(ValueLayout.JAVA_INT, 20, 1);
    return config;
  }

  /** How many blocks are launched, and where. */
  static void place(MemorySegment config, int x, int y, int z, Stream stream) {
    config.set(ValueLayout.JAVA_INT, 0, x);
    config.set(ValueLayout.JAVA_INT, 4, y);
    config.set(ValueLayout.JAVA_INT, 8, z);
    config.set(ValueLayout.JAVA_LONG, 32, stream.handle());
  }
}
