// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Tensor;
import dev.consort.cuda.driver.Launch;
import dev.consort.cuda.driver.Modules;
import java.util.ArrayList;
import java.util.List;

/** What the kernels need while a plan is made: where tensors lie. Collects the launches. */
final class Work {
  /** Tells where tensors lie. */
  interface Places {
    /** The address of the tensor's first element. */
    long address(Tensor tensor);

    /** Memory that all steps share. */
    long scratch(long bytes);
  }

  private static final long MOST_X = Integer.MAX_VALUE;

  private final Modules modules;
  private final int processors;
  private final Places places;
  private final List<Launch> launches = new ArrayList<>();

  Work(Modules modules, int processors, Places places) {
    this.modules = modules;
    this.processors = processors;
    this.places = places;
  }

  /** Multiprocessors of the device. */
  int processors() {
    return processors;
  }

  /** 0 for a tensor without elements. */
  long address(Tensor tensor) {
    return tensor.shape().isEmpty() ? 0 : places.address(tensor);
  }

  long scratch(long bytes) {
    return places.scratch(bytes);
  }

  List<Launch> launches() {
    return launches;
  }

  /** Adds a launch of {@code x * y * z} blocks. */
  void grid(String file, String kernel, Arguments arguments, int threads, long x, long y, long z) {
    grid(file, kernel, arguments, threads, 0, x, y, z);
  }

  /** Adds a launch of blocks that have so many bytes of shared memory beside their own. */
  void grid(
      String file,
      String kernel,
      Arguments arguments,
      int threads,
      int sharedBytes,
      long x,
      long y,
      long z) {
    if (x <= 0 || y <= 0 || z <= 0) {
      return;
    }
    if (x > MOST_X || y > CudaKernels.MOST_BLOCKS || z > CudaKernels.MOST_BLOCKS) {
      throw new IllegalArgumentException(
          "a grid of %d by %d by %d blocks for %s is too large".formatted(x, y, z, kernel));
    }
    launches.add(
        new Launch(
            modules.function(file, kernel),
            (int) x,
            (int) y,
            (int) z,
            threads,
            sharedBytes,
            arguments.bytes()));
  }

  /** Adds a launch with a thread for each of {@code count} values. */
  void each(String file, String kernel, Arguments arguments, long count) {
    int threads = 256;
    grid(file, kernel, arguments, threads, (count + threads - 1) / threads, 1, 1);
  }
}
