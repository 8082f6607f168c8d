// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Graph;
import dev.consort.api.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Computes graphs in host memory with the scalar reference; the oracle of the kit. */
public final class Reference {
  private Reference() {}

  /**
   * The bytes of every output of the graph, by name. States among the leaves are not changed: new
   * versions are computed on a copy.
   *
   * @param leaves the bytes of every leaf, by name
   */
  public static Map<String, MemorySegment> evaluate(
      Graph graph, Map<String, MemorySegment> leaves) {
    Map<String, MemorySegment> memory = new HashMap<>();
    leaves.forEach(
        (name, bytes) -> {
          MemorySegment copy = allocate(bytes.byteSize());
          memory.put(name, copy.copyFrom(bytes));
        });
    for (Tensor node : graph.nodes()) {
      if (!node.isView()) {
        memory.computeIfAbsent(node.root().name(), name -> allocate(node.bytes()));
        List<Operand> sources =
            node.sources().stream().map(source -> operand(source, memory)).toList();
        Kernels.run(node, sources, operand(node, memory));
      }
    }
    Map<String, MemorySegment> results = new TreeMap<>();
    for (Tensor output : graph.outputs()) {
      results.put(
          output.name(), memory.get(output.root().name()).asSlice(output.offset(), output.bytes()));
    }
    return results;
  }

  /** The elements of a contiguous tensor as floats; quantised ones are decoded. */
  public static float[] floats(Tensor tensor, MemorySegment bytes) {
    return Flat.read(new Operand(tensor, bytes));
  }

  /** The elements of an I32 tensor. */
  public static int[] indices(Tensor tensor, MemorySegment bytes) {
    return Flat.readIndices(new Operand(tensor, bytes));
  }

  private static Operand operand(Tensor tensor, Map<String, MemorySegment> memory) {
    MemorySegment root = memory.get(tensor.root().name());
    if (root == null) {
      throw new IllegalArgumentException("nothing was given for leaf " + tensor.root());
    }
    return new Operand(tensor, root.asSlice(tensor.offset()));
  }

  private static MemorySegment allocate(long bytes) {
    return MemorySegment.ofArray(new byte[Math.toIntExact(bytes)]);
  }
}
