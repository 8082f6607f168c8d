// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Tensors to compute, each after its sources. Immutable. What the nodes read without computing it
 * are the {@link #leaves()}: weights, states and inputs, and in a piece of a larger graph also
 * tensors that an earlier piece left in storage.
 */
@Stable(since = "1.0")
public final class Graph {
  private final List<Tensor> nodes;
  private final Set<Tensor> leaves;
  private final Set<Tensor> outputs;
  private final Set<Tensor> members;

  private Graph(List<Tensor> nodes, List<Tensor> outputs) {
    this.nodes = List.copyOf(nodes);
    Set<Tensor> known = Collections.newSetFromMap(new IdentityHashMap<>());
    Set<Tensor> read = new LinkedHashSet<>();
    for (Tensor node : this.nodes) {
      for (Tensor source : node.sources()) {
        if (!known.contains(source)) {
          read.add(source);
        }
      }
      known.add(node);
    }
    for (Tensor leaf : read) {
      if (known.contains(leaf)) {
        throw new ConsortException(
            ErrorCode.INVALID_ARGUMENT, leaf + " is read before it is computed");
      }
    }
    this.leaves = Collections.unmodifiableSet(read);
    this.outputs = Collections.unmodifiableSet(new LinkedHashSet<>(outputs));
    this.members = known;
  }

  /**
   * A graph of the given nodes in this order.
   *
   * @param outputs what must still be in storage when the graph has run
   */
  public static Graph of(List<Tensor> nodes, List<Tensor> outputs) {
    return new Graph(nodes, outputs);
  }

  /** Computed tensors and views, each after its sources. */
  public List<Tensor> nodes() {
    return nodes;
  }

  /** What is read but not computed here, in the order of first use. */
  public Set<Tensor> leaves() {
    return leaves;
  }

  /** What must still be in storage when the graph has run. */
  public Set<Tensor> outputs() {
    return outputs;
  }

  /** Whether the tensor is computed here. */
  public boolean computes(Tensor tensor) {
    return members.contains(tensor);
  }
}
