// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Tensor;
import dev.consort.cuda.driver.Launch;
import dev.consort.cuda.driver.Modules;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What the kernels need while a plan is made: where tensors lie. Collects the launches. */
final class Work {
  /** Tells where tensors lie. */
  interface Places {
    /** The address of the tensor's first element. */
    long address(Tensor tensor);

    /** Whether anybody reads the tensor, so that it has a place. */
    boolean isStored(Tensor tensor);

    /** Memory that all steps share. */
    long scratch();

    /** Zeros, {@link AttentionKernels#COUNTERS} of them, which every kernel leaves as zeros. */
    long counters();
  }

  private static final long MOST_X = Integer.MAX_VALUE;

  private final Modules modules;
  private final Chip chip;
  private final Places places;
  private final Scratch scratch;
  private final Forms forms;
  private final List<Launch> launches = new ArrayList<>();

  Work(Modules modules, Chip chip, Places places, Scratch scratch, Forms forms) {
    this.modules = modules;
    this.chip = chip;
    this.places = places;
    this.scratch = scratch;
    this.forms = forms;
  }

  Modules modules() {
    return modules;
  }

  Chip chip() {
    return chip;
  }

  /** Multiprocessors of the device. */
  int processors() {
    return chip.processors();
  }

  /** 0 for a tensor without elements. */
  long address(Tensor tensor) {
    return tensor.shape().isEmpty() ? 0 : places.address(tensor);
  }

  /** 0 for a tensor that nobody reads. */
  long addressIfStored(Tensor tensor) {
    return places.isStored(tensor) ? places.address(tensor) : 0;
  }

  /** Memory for what splits of attention find. */
  long parts() {
    return places.scratch();
  }

  long counters() {
    return places.counters();
  }

  /** Memory for decoded weights. */
  long decoded() {
    return places.scratch() + scratch.decoded();
  }

  /** The form in which products will want what a step computes. */
  Optional<Form> wanted(Tensor computed) {
    return forms.wanted(computed);
  }

  /** Where a computed tensor goes; 0 if it is read in its form alone. */
  long addressIfPlain(Tensor computed) {
    return forms.isOnlyFormed(computed) ? 0 : address(computed);
  }

  /** Where a step that computes a tensor writes its form as well. */
  long make(Tensor computed, Form form) {
    return places.scratch() + scratch.activations(forms.make(computed, form));
  }

  /** Where the form of a tensor lies; adds a launch that makes it unless it is there. */
  long form(Tensor x, Form form) {
    int place = forms.find(x, form);
    if (place >= 0) {
      return places.scratch() + scratch.activations(place);
    }
    long made = make(x, form);
    ElementKernels.shape(this, x, form, made);
    return made;
  }

  List<Launch> launches() {
    return launches;
  }

  void add(List<Launch> more) {
    launches.addAll(more);
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
    long function = modules.function(file, kernel);
    if (sharedBytes > 0) {
      modules.allowShared(function, sharedBytes);
    }
    launches.add(
        new Launch(
            function,
            (int) x,
            (int) y,
            (int) z,
            threads,
            sharedBytes,
            arguments.bytes(),
            modules.overlap() ? Launch.Start.DURING_PREVIOUS : Launch.Start.AFTER_PREVIOUS));
  }

  /** Adds a launch with a thread for each of {@code count} values. */
  void each(String file, String kernel, Arguments arguments, long count) {
    int threads = 256;
    grid(file, kernel, arguments, threads, (count + threads - 1) / threads, 1, 1);
  }
}
