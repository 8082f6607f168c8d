// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.memory;

import dev.consort.api.Allocation;
import dev.consort.api.Graph;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.tck.memory.Access.Kind;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The bytes that a graph bound to an allocation touches. */
public final class PlanAccesses {
  private PlanAccesses() {}

  /** What is read and written; tensors without a place are left out. */
  public static List<Access> of(Graph graph, long scratchBytes, Allocation allocation) {
    Set<Access> accesses = new LinkedHashSet<>();
    for (Tensor node : graph.nodes()) {
      if (node.isView()) {
        continue;
      }
      for (Tensor source : node.sources()) {
        add(accesses, allocation, source, Kind.READ);
      }
      add(accesses, allocation, node, Kind.WRITE);
    }
    if (scratchBytes > 0) {
      allocation
          .scratch()
          .ifPresent(scratch -> accesses.add(Access.of(scratch, 0, scratchBytes, Kind.WRITE)));
    }
    return List.copyOf(accesses);
  }

  private static void add(Set<Access> to, Allocation allocation, Tensor tensor, Kind kind) {
    if (!tensor.shape().isEmpty() && allocation.holds(tensor)) {
      Storage storage = allocation.storage(tensor);
      // In a repacked tensor no byte is where its strides say.
      boolean moved = storage.buffer().type().repacks();
      to.add(
          moved
              ? Access.of(
                  allocation.storage(tensor.root()),
                  0,
                  storage.buffer().type().bytes(tensor.root()),
                  kind)
              : Access.of(storage, 0, span(tensor), kind));
    }
  }

  /** Bytes from a tensor's first to behind its last. */
  public static long span(Tensor tensor) {
    if (tensor.shape().isEmpty()) {
      return 0;
    }
    long blocks = tensor.ne(0) / tensor.type().blockElements();
    long span = (blocks - 1) * tensor.nb(0) + tensor.type().blockBytes();
    for (int axis = 1; axis < Shape.AXES; axis++) {
      span += (tensor.ne(axis) - 1) * tensor.nb(axis);
    }
    return span;
  }
}
