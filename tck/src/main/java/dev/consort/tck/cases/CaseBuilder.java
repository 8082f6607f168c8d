// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.cases;

import dev.consort.api.DataType;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Builds one case. */
final class CaseBuilder {
  final GraphBuilder graph = new GraphBuilder();
  private final List<Tensor> leaves = new ArrayList<>();
  private final Map<String, Fill> fills = new HashMap<>();
  private OperationCase.Need need = OperationCase.Need.REQUIRED;
  private double limit = OperationCase.DEFAULT_LIMIT;
  private String note = "";

  Tensor input(DataType type, Shape shape, Fill fill) {
    return leaf(new Operation.Input(type, shape, Optional.empty()), fill);
  }

  Tensor input(Shape shape) {
    return input(DataType.F32, shape, Fill.uniform());
  }

  Tensor input(Shape shape, Shard shard) {
    return leaf(new Operation.Input(DataType.F32, shape, Optional.of(shard)), Fill.uniform());
  }

  Tensor indices(Shape shape, int... values) {
    return input(DataType.I32, shape, Fill.indices(values));
  }

  Tensor weight(DataType type, Shape shape) {
    return leaf(new Operation.Weight(type, shape, Optional.empty()), Fill.uniform());
  }

  Tensor weight(DataType type, Shape shape, Shard shard) {
    return leaf(new Operation.Weight(type, shape, Optional.of(shard)), Fill.uniform());
  }

  Tensor state(DataType type, Shape shape) {
    return leaf(new Operation.State(type, shape, Optional.empty()), Fill.uniform());
  }

  Tensor state(DataType type, Shape shape, Shard shard) {
    return leaf(new Operation.State(type, shape, Optional.of(shard)), Fill.uniform());
  }

  private Tensor leaf(Operation.Leaf leaf, Fill fill) {
    Tensor tensor = graph.add(leaf.label() + leaves.size(), leaf, List.of());
    leaves.add(tensor);
    fills.put(tensor.name(), fill);
    return tensor;
  }

  /** A device may refuse this case. */
  CaseBuilder optional() {
    need = OperationCase.Need.OPTIONAL;
    return this;
  }

  CaseBuilder limit(double most) {
    limit = most;
    return this;
  }

  /** Words to put into the name. */
  CaseBuilder note(String words) {
    note = note.isEmpty() ? words : note + ", " + words;
    return this;
  }

  /** The case that checks {@code result}, of type F32 for the declaration. */
  OperationCase check(Tensor result) {
    return check(result, DataType.F32);
  }

  /** The case that checks {@code result}, the operation being declared for {@code type}. */
  OperationCase check(Tensor result, DataType type) {
    graph.output(result);
    String shapes =
        result.sources().stream().map(CaseBuilder::brief).collect(Collectors.joining(" "));
    String name =
        "%s %s %s%s"
            .formatted(
                result.operation().label(),
                type.label(),
                shapes,
                note.isEmpty() ? "" : " (" + note + ")");
    return new OperationCase(
        name, result.operation().label(), type, graph.build(), leaves, fills, limit, need);
  }

  private static String brief(Tensor tensor) {
    StringBuilder text = new StringBuilder("[" + tensor.ne(0));
    for (int axis = 1; axis <= tensor.shape().lastAxis(); axis++) {
      text.append(',').append(tensor.ne(axis));
    }
    return text.append(']').append(tensor.isContiguous() ? "" : "*").toString();
  }
}
