// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.cases;

import dev.consort.api.DataType;
import dev.consort.api.Graph;
import dev.consort.api.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A small graph with data.
 *
 * @param name unique; operation, type and shapes
 * @param label of the operation that is tested
 * @param type that the operation's declaration is asked for
 * @param limit the largest normalised mean square error; 0 for bit by bit
 */
public record OperationCase(
    String name,
    String label,
    DataType type,
    Graph graph,
    List<Tensor> leaves,
    Map<String, Fill> fills,
    double limit,
    Need need) {

  /** Whether a device that declares the operation must take the case. */
  public enum Need {
    REQUIRED,
    /** Unusual strides: it may refuse, and the host makes the sources contiguous. */
    OPTIONAL
  }

  /** As llama.cpp's test-backend-ops has it for everything but products. */
  public static final double DEFAULT_LIMIT = 1e-7;

  /**
   * For matrix products and attention, whose devices round activations to the weights' precision.
   */
  public static final double PRODUCT_LIMIT = 5e-4;

  public static final double EXACT = 0;

  /** The bytes of every leaf, by name; always the same. */
  public Map<String, MemorySegment> data() {
    Map<String, MemorySegment> data = new HashMap<>();
    for (Tensor leaf : leaves) {
      MemorySegment bytes = MemorySegment.ofArray(new byte[Math.toIntExact(leaf.bytes())]);
      fills.get(leaf.name()).fill(leaf, bytes, new Random((name + leaf.name()).hashCode()));
      data.put(leaf.name(), bytes);
    }
    return data;
  }

  /** The one output. */
  public Tensor output() {
    return graph.outputs().iterator().next();
  }

  @Override
  public String toString() {
    return name;
  }
}
