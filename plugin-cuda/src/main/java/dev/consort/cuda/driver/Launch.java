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
 * @param cluster neighbours along x that run at once and reach each other's shared memory; more
 *     than 1 from compute capability 9.0 on
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
    Start start,
    int cluster) {
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

  /** CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION. */
  private static final int CLUSTER = 4;

  /** A launch whose blocks are on their own. */
  public Launch(
      long function,
      int x,
      int y,
      int z,
      int threads,
      int sharedBytes,
      byte[] arguments,
      Start start) {
    this(function, x, y, z, threads, sharedBytes, arguments, start, 1);
  }

  /** Adds it to the stream, or to the graph that the stream is recorded into. */
  public void enqueue(Stream stream) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment config = config(arena, threads);
      place(config, x, y, z, stream);
      config.set(ValueLayout.JAVA_INT, 24, sharedBytes);
      MemorySegment attributes = arena.allocate(2 * ATTRIBUTE_BYTES, 8);
      int count = 0;
      if (start == Start.DURING_PREVIOUS) {
        attribute(attributes, count++, PROGRAMMATIC, 1, 0, 0);
      }
      if (cluster > 1) {
        attribute(attributes, count++, CLUSTER, cluster, 1, 1);
      }
      config.set(ValueLayout.ADDRESS, 40, attributes);
      config.set(ValueLayout.JAVA_INT, 48, count);
      MemorySegment values = arena.allocate(arguments.length, 64);
      values.copyFrom(MemorySegment.ofArray(arguments));
      MemorySegment pointers = arena.allocate(8, 8);
      pointers.set(ValueLayout.ADDRESS, 0, values);
      check("cuLaunchKernelEx", Calls.launch(config.address(), function, pointers.address()));
    }
  }

  private static void attribute(MemorySegment all, int index, int kind, int... values) {
    MemorySegment attribute = all.asSlice(index * ATTRIBUTE_BYTES, ATTRIBUTE_BYTES);
    attribute.set(ValueLayout.JAVA_INT, 0, kind);
    for (int i = 0; i < values.length; i++) {
      attribute.set(ValueLayout.JAVA_INT, 8 + 4L * i, values[i]);
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
