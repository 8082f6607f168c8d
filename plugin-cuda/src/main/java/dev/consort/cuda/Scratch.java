// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Schedule;
import dev.consort.api.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * A plan's scratch memory: what splits of attention find, two places for activations in a product's
 * form (one is read while the next is made), and weights that are decoded before they are
 * multiplied.
 */
record Scratch(long parts, long activations, long weights) {
  private static final long ALIGNMENT = 256;

  static Scratch of(List<Schedule.Step> steps, int processors) {
    long parts = 0;
    long activations = 0;
    long weights = 0;
    for (Schedule.Step step : steps) {
      parts = Math.max(parts, CudaKernels.scratchBytes(step, processors));
      for (Tensor node : step.nodes()) {
        Optional<Form> form = MatrixKernels.form(node);
        if (form.isPresent()) {
          activations = Math.max(activations, form.get().bytes(node.source(1)));
        }
      }
      weights = Math.max(weights, TileKernels.decodedBytes(step.nodes()));
    }
    return new Scratch(align(parts), align(activations), align(weights));
  }

  private static long align(long bytes) {
    return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
  }

  long bytes() {
    return parts + 2 * activations + weights;
  }

  /** Offset of a place for activations. */
  long activations(int place) {
    return parts + place * activations;
  }

  /** Offset of the decoded weights. */
  long decoded() {
    return parts + 2 * activations;
  }
}
