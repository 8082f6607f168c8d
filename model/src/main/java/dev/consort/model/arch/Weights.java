// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.Tensor;
import dev.consort.model.gguf.GgufFile;
import dev.consort.model.gguf.GgufTensor;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Puts a file's tensors into a graph as weights under their own names, checking that each has the
 * shape the model's keys promise.
 */
final class Weights {
  private final GgufFile file;
  private final GraphBuilder graph;
  private final Set<String> used = new HashSet<>();

  Weights(GgufFile file, GraphBuilder graph) {
    this.file = file;
    this.graph = graph;
  }

  boolean has(String name) {
    return file.find(name).isPresent();
  }

  /** The shape in the file; the tensor must be there. */
  Shape shape(String name) {
    return file.tensor(name).shape();
  }

  /** A weight that every member holds whole. */
  Tensor whole(String name, Shape shape, int layer) {
    return leaf(name, shape, Optional.empty(), layer);
  }

  Tensor split(String name, Shape shape, Shard shard, int layer) {
    return leaf(name, shape, Optional.of(shard), layer);
  }

  /** A weight that takes part in elementwise operations, which want F32. */
  Tensor floats(String name, Shape shape, Optional<Shard> shard, int layer) {
    Tensor leaf = leaf(name, shape, shard, layer);
    if (leaf.type() == DataType.F32) {
      return leaf;
    }
    if (leaf.type() != DataType.F16 && leaf.type() != DataType.BF16) {
      throw new ConsortException(
          ErrorCode.UNSUPPORTED,
          "%s: tensor %s is %s, expected f32, f16 or bf16; convert the model again"
              .formatted(file.path(), name, leaf.type().label()));
    }
    return graph
        .find(name + ".f32")
        .orElseGet(
            () -> graph.add(name + ".f32", new Operation.Copy(DataType.F32), List.of(leaf), layer));
  }

  private Tensor leaf(String name, Shape shape, Optional<Shard> shard, int layer) {
    used.add(name);
    return graph.find(name).orElseGet(() -> add(name, shape, shard, layer));
  }

  private Tensor add(String name, Shape shape, Optional<Shard> shard, int layer) {
    GgufTensor tensor = file.tensor(name);
    if (!tensor.shape().equals(shape)) {
      throw new ConsortException(
          ErrorCode.INVALID_FILE,
          "%s: tensor %s has shape %s, expected %s by the model's keys; convert the model again"
              .formatted(file.path(), name, tensor.shape(), shape));
    }
    return graph.add(name, new Operation.Weight(tensor.type(), shape, shard), List.of(), layer);
  }

  /** Marks a tensor as known, though no graph reads it. */
  void ignore(String name) {
    used.add(name);
  }

  /**
   * Checks that the model left no tensor of the file unread.
   *
   * @throws ConsortException UNSUPPORTED, naming some that it left
   */
  void requireAllUsed(String architecture) {
    List<String> rest =
        file.tensors().stream().map(GgufTensor::name).filter(n -> !used.contains(n)).toList();
    if (!rest.isEmpty()) {
      throw new ConsortException(
          ErrorCode.UNSUPPORTED,
          "%s: %d tensors are not part of architecture %s as known here, among them %s; %s"
              .formatted(
                  file.path(),
                  rest.size(),
                  architecture,
                  String.join(", ", rest.subList(0, Math.min(4, rest.size()))),
                  "this variant of the model can't be run"));
    }
  }
}
