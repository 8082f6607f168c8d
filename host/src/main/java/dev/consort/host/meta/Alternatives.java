// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Finds out what to do about operations that a member refuses. In this order: it computes them as
 * simpler ones; it holds their weight in another data type; another member computes them for all;
 * it stays idle.
 */
final class Alternatives {
  private final Spread spread;
  private final List<Device> members;
  private final Split split;
  private final Remedies remedies;
  private final Map<String, Tensor> whole = new HashMap<>();

  /**
   * @param remedies to which those that are found are added
   */
  Alternatives(Spread spread, List<Device> members, Split split, Remedies remedies) {
    this.spread = spread;
    this.members = members;
    this.split = split;
    this.remedies = remedies;
    spread.graph().nodes().forEach(node -> whole.put(node.name(), node));
  }

  /** Asks a member about all that it would get; whether it refuses any of it. */
  boolean find(int member, List<Graph> pieces) {
    boolean found = false;
    for (Graph piece : pieces) {
      for (Tensor node : piece.nodes()) {
        if (node.isView() || node.operation() instanceof Operation.AllReduce) {
          continue;
        }
        Support support = members.get(member).supports(node);
        if (support.supported()) {
          continue;
        }
        found = true;
        boolean helped =
            lower(member, node, support)
                || recode(member, node, pieces, support)
                || move(member, node, support);
        if (!helped) {
          remedies.idle(member, id(member) + " stays idle: " + node + ": " + support.reason());
          return true;
        }
      }
    }
    return found;
  }

  private boolean lower(int member, Tensor node, Support support) {
    Set<Operation> before = remedies.lowered(member);
    if (before.contains(node.operation())) {
      return true;
    }
    Optional<Set<Operation>> lowered = Lowering.find(members.get(member), node, before);
    if (lowered.isEmpty()) {
      return false;
    }
    remedies.lower(member, lowered.get());
    String labels =
        lowered.get().stream().map(Operation::label).sorted().collect(Collectors.joining(", "));
    remedies.note(
        member, id(member) + " computes ", labels, " as simpler operations: " + support.reason());
    return true;
  }

  private boolean recode(int member, Tensor node, List<Graph> pieces, Support support) {
    Tensor weight = isProduct(node) ? node.source(0).root() : node;
    if (!(weight.operation() instanceof Operation.Weight)) {
      return false;
    }
    if (remedies.isRecoded(member, weight)) {
      return true;
    }
    List<Tensor> readers = readers(weight, pieces);
    for (DataType type : Recoding.alternatives(weight.type())) {
      Tensor other = new GraphBuilder().weight(weight.name(), type, weight.shape());
      if (readers.stream()
          .allMatch(
              reader -> members.get(member).supports(with(reader, weight, other)).supported())) {
        remedies.recode(member, weight.name(), type);
        remedies.note(
            member,
            id(member) + " holds ",
            weight.name(),
            " as %s, not %s: %s".formatted(type.label(), weight.type().label(), support.reason()));
        return true;
      }
    }
    return false;
  }

  private static List<Tensor> readers(Tensor weight, List<Graph> pieces) {
    return pieces.stream()
        .flatMap(piece -> piece.nodes().stream())
        .filter(node -> !node.isView())
        .filter(node -> node.sources().stream().anyMatch(source -> source.root() == weight))
        .toList();
  }

  /** The same tensor of another weight. */
  private static Tensor with(Tensor tensor, Tensor weight, Tensor other) {
    if (tensor == weight) {
      return other;
    }
    List<Tensor> sources =
        tensor.sources().stream()
            .map(source -> source.root() == weight ? with(source, weight, other) : source)
            .toList();
    return new GraphBuilder().add(tensor.name(), tensor.operation(), sources, tensor.layer());
  }

  /**
   * Products of split weights stay where the weights are; other split weights, such as sinks, are
   * small, and become everybody's. What touches a state moves together with all that does, and the
   * state with it.
   */
  private boolean move(int member, Tensor node, Support support) {
    Tensor full = whole.get(node.name());
    if (split == Split.LAYER || full == null || spread.remedies().home(full).isPresent()) {
      return false;
    }
    List<Tensor> together = StateHomes.together(spread.graph(), full);
    if (remedies.home(full).isEmpty()) {
      OptionalInt able = isBound(together) ? OptionalInt.empty() : able(member, together);
      if (able.isEmpty()) {
        return false;
      }
      together.forEach(one -> remedies.settle(one, able.getAsInt()));
    }
    int home = remedies.home(full).getAsInt();
    remedies.note(
        -1,
        id(home) + " computes ",
        full.name(),
        " for all, its results are copied: %s refuses %s: %s"
            .formatted(id(member), full.operation().label(), support.reason()));
    return home != member;
  }

  private boolean isBound(List<Tensor> together) {
    Set<Tensor> states = together.stream().flatMap(StateHomes::touched).collect(Collectors.toSet());
    return together.stream().anyMatch(one -> isProduct(one) && isSplitWeight(one.source(0)))
        || spread.graph().outputs().stream().anyMatch(output -> states.contains(output.root()));
  }

  /** Another member that can compute all of these whole. */
  private OptionalInt able(int member, List<Tensor> together) {
    double[] shares = remedies.shares();
    return IntStream.range(0, members.size())
        .filter(m -> m != member && shares[m] > 0 && spread.active()[m])
        .filter(m -> together.stream().allMatch(one -> members.get(m).supports(one).supported()))
        .findFirst();
  }

  private static boolean isProduct(Tensor node) {
    return node.operation() instanceof Operation.MatMul
        || node.operation() instanceof Operation.MatMulId
        || node.operation() instanceof Operation.GetRows;
  }

  private boolean isSplitWeight(Tensor source) {
    Tensor root = source.root();
    return root.operation() instanceof Operation.Weight
        && spread.state(root) instanceof SplitState.OnAxis;
  }

  private String id(int member) {
    return members.get(member).info().id();
  }
}
