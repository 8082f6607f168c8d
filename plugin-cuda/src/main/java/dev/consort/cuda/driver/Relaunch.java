// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static dev.consort.cuda.driver.CudaError.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A kernel that is launched again and again with other arguments, from memory that is kept for it:
 * makes no garbage. For one thread at a time.
 */
public final class Relaunch implements AutoCloseable {
  private final long function;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment config;
  private final MemorySegment arguments;
  private final MemorySegment pointers;

  /**
   * @param function as {@link Modules#function} gives it
   * @param threads of a block
   */
  public Relaunch(long function, int threads, long argumentBytes) {
    this.function = function;
    this.config = Launch.config(arena, threads);
    this.arguments = arena.allocate(argumentBytes, 64);
    this.pointers = arena.allocate(8, 8);
    pointers.set(ValueLayout.ADDRESS, 0, arguments);
  }

  /** What the next launch takes; free to be changed after it. */
  public MemorySegment arguments() {
    return arguments;
  }

  /** Launches {@code x * y} blocks in the stream. */
  public void enqueue(int x, int y, Stream stream) {
    Launch.place(config, x, y, 1, stream);
    check("cuLaunchKernelEx", Calls.launch(config.address(), function, pointers.address()));
  }

  @Override
  public void close() {
    arena.close();
  }
}
