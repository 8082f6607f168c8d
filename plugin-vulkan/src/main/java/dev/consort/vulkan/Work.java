// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.Operation;
import dev.consort.api.Tensor;
import dev.consort.vulkan.vk.Adapter;
import dev.consort.vulkan.vk.Pipelines;
import java.util.ArrayList;
import java.util.List;

/**
 * What the kernels need while a plan is made: where tensors lie, pipelines, tuning. Collects the
 * dispatches.
 */
final class Work {
  /** Tells where tensors lie. */
  interface Places {
    /** The address of the tensor's first element. */
    long address(Tensor tensor);

    /** Memory of the plan's own, the same for all steps. */
    Place scratch(long bytes);

    /** The table of angles of a rope operation. */
    Place angles(Operation.Rope rope);
  }

  private final Tuning tuning;
  private final Pipelines pipelines;
  private final Places places;
  private final List<Dispatch> dispatches = new ArrayList<>();

  Work(Adapter.Limits limits, Tuning tuning, Pipelines pipelines, Places places) {
    this.tuning = tuning;
    this.pipelines = pipelines;
    this.places = places;
    this.maxX = limits.groupsX();
  }

  private final long maxX;

  Tuning tuning() {
    return tuning;
  }

  Place place(Tensor tensor) {
    return tensor.shape().isEmpty() ? Place.NONE : Place.of(tensor, places.address(tensor));
  }

  Place scratch(long bytes) {
    return places.scratch(bytes);
  }

  Place angles(Operation.Rope rope) {
    return places.angles(rope);
  }

  List<Dispatch> dispatches() {
    return dispatches;
  }

  /** Adds a dispatch over {@code groups} workgroups, folded over two dimensions. */
  void groups(
      String shader, int[] constants, Push push, long groups, List<Place> reads, Place... writes) {
    long x = Math.min(groups, Math.min(maxX, 32768));
    grid(shader, constants, push, x, x == 0 ? 0 : (groups + x - 1) / x, 1, reads, writes);
  }

  /** Adds a dispatch with an invocation for each of {@code count} values. */
  void each(
      String shader, int[] constants, Push push, long count, List<Place> reads, Place... writes) {
    groups(shader, constants, push, (count + constants[0] - 1) / constants[0], reads, writes);
  }

  /** Adds a dispatch of the given grid. */
  void grid(
      String shader,
      int[] constants,
      Push push,
      long x,
      long y,
      long z,
      List<Place> reads,
      Place... writes) {
    if (x * y * z > 0) {
      long pipeline = pipelines.get(shader, constants);
      dispatches.add(new Dispatch(pipeline, push.words(), x, y, z, reads, List.of(writes)));
    }
  }
}
