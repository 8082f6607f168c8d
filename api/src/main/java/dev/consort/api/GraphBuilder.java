// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Builds a graph node by node, checking shapes, types and state versions as it goes. Not thread
 * safe.
 *
 * <p>{@code setRows} returns the new version of a state; reading an older one afterwards is an
 * error, because both share one storage.
 */
@Stable(since = "1.0")
public final class GraphBuilder {
  private final List<Tensor> nodes = new ArrayList<>();
  private final List<Tensor> outputs = new ArrayList<>();
  private final Map<String, Tensor> byName = new HashMap<>();
  private final Map<Tensor, Tensor> newestVersion = new IdentityHashMap<>();
  private int layer = -1;

  /** Tensors added from now on belong to this model layer; -1 for none. */
  public GraphBuilder layer(int index) {
    layer = index;
    return this;
  }

  public Tensor input(String name, DataType type, Shape shape) {
    return add(name, new Operation.Input(type, shape, Optional.empty()), List.of());
  }

  public Tensor weight(String name, DataType type, Shape shape) {
    return add(name, new Operation.Weight(type, shape, Optional.empty()), List.of());
  }

  public Tensor weight(String name, DataType type, Shape shape, Shard shard) {
    return add(name, new Operation.Weight(type, shape, Optional.of(shard)), List.of());
  }

  public Tensor state(String name, DataType type, Shape shape, Shard shard) {
    return add(name, new Operation.State(type, shape, Optional.of(shard)), List.of());
  }

  public Tensor state(String name, DataType type, Shape shape) {
    return add(name, new Operation.State(type, shape, Optional.empty()), List.of());
  }

  public Tensor reshape(Tensor x, Shape shape) {
    return add(new Operation.Reshape(shape), x);
  }

  public Tensor slice(Tensor x, int axis, long start, long length) {
    return add(new Operation.Slice(axis, start, length), x);
  }

  public Tensor permute(Tensor x, int axis0, int axis1, int axis2, int axis3) {
    return add(new Operation.Permute(axis0, axis1, axis2, axis3), x);
  }

  public Tensor matMul(Tensor weight, Tensor x) {
    return add(new Operation.MatMul(), weight, x);
  }

  public Tensor matMulId(Tensor weights, Tensor x, Tensor ids) {
    return add(new Operation.MatMulId(), weights, x, ids);
  }

  public Tensor getRows(Tensor table, Tensor ids) {
    return add(new Operation.GetRows(), table, ids);
  }

  public Tensor setRows(Tensor state, Tensor rows, Tensor ids) {
    return add(new Operation.SetRows(), state, rows, ids);
  }

  public Tensor add(Tensor a, Tensor b) {
    return add(new Operation.Binary(Operation.Binary.Kind.ADD), a, b);
  }

  public Tensor sub(Tensor a, Tensor b) {
    return add(new Operation.Binary(Operation.Binary.Kind.SUB), a, b);
  }

  public Tensor mul(Tensor a, Tensor b) {
    return add(new Operation.Binary(Operation.Binary.Kind.MUL), a, b);
  }

  public Tensor div(Tensor a, Tensor b) {
    return add(new Operation.Binary(Operation.Binary.Kind.DIV), a, b);
  }

  public Tensor scale(Tensor x, float scale) {
    return add(new Operation.Scale(scale, 0), x);
  }

  public Tensor unary(Operation.Unary.Kind kind, Tensor x) {
    return add(new Operation.Unary(kind), x);
  }

  public Tensor glu(Operation.Glu.Kind kind, Tensor gate, Tensor up) {
    return add(new Operation.Glu(kind, 0, 0), gate, up);
  }

  public Tensor rmsNorm(Tensor x, float eps) {
    return add(new Operation.RmsNorm(eps), x);
  }

  public Tensor softMax(Tensor x) {
    return add(new Operation.SoftMax(), x);
  }

  public Tensor topK(Tensor x, int k, Tensor queries) {
    return add(new Operation.TopK(k), x, queries);
  }

  public Tensor sum(Tensor x, int axis) {
    return add(new Operation.Sum(axis), x);
  }

  public Tensor clamp(Tensor x, float min, float max) {
    return add(new Operation.Clamp(min, max), x);
  }

  public Tensor copy(Tensor x, DataType type) {
    return add(new Operation.Copy(type), x);
  }

  /** Adds a node under a name of its own, {@code label%number}. */
  public Tensor add(Operation operation, Tensor... sources) {
    return add(operation.label() + "%" + nodes.size(), operation, List.of(sources));
  }

  /**
   * Adds a node.
   *
   * @throws ConsortException INVALID_ARGUMENT if the name is taken, a source does not fit, or an
   *     older version of a state is read
   */
  public Tensor add(String name, Operation operation, List<Tensor> sources) {
    return add(name, operation, sources, layer);
  }

  /** Adds a node that belongs to the given layer. */
  public Tensor add(String name, Operation operation, List<Tensor> sources, int ofLayer) {
    sources.forEach(source -> requireNewest(operation, source));
    var tensor = new Tensor(name, Inference.infer(operation, sources), operation, sources, ofLayer);
    if (byName.putIfAbsent(name, tensor) != null) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, "a tensor named " + name + " is in the graph already");
    }
    if (operation instanceof Operation.SetRows) {
      newestVersion.put(tensor.root(), tensor);
    }
    if (!tensor.isLeaf()) {
      nodes.add(tensor);
    }
    return tensor;
  }

  /** Marks a tensor as an output: it must still be in storage when the graph has run. */
  public Tensor output(Tensor tensor) {
    outputs.add(tensor);
    return tensor;
  }

  /** The tensor of that name, if there is one so far. */
  public Optional<Tensor> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  public Graph build() {
    return Graph.of(nodes, outputs);
  }

  private void requireNewest(Operation operation, Tensor source) {
    Tensor newest = newestVersion.get(source.root());
    if (newest != null && !descends(source, newest)) {
      throw ConsortException.of(
              ErrorCode.INVALID_ARGUMENT,
              "%s is read after %s has replaced it; read the version that setRows returned"
                  .formatted(source, newest))
          .operation(operation.label())
          .build();
    }
  }

  private static boolean descends(Tensor tensor, Tensor ancestor) {
    Tensor at = tensor;
    while (at != ancestor) {
      if (!at.isView()) {
        return false;
      }
      at = at.source(0);
    }
    return true;
  }
}
