// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Device;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Operation.Binary;
import dev.consort.api.Operation.Glu;
import dev.consort.api.Operation.Unary;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** Operations that are the same as several simpler ones, and which those are. */
final class Lowering {
  /** Takes the simpler operations one by one. */
  private interface Sink {
    Tensor add(Operation operation, List<Tensor> sources);
  }

  private final Predicate<Operation> lowers;
  private final Sink sink;

  private Lowering(Predicate<Operation> lowers, Sink sink) {
    this.lowers = lowers;
    this.sink = sink;
  }

  /** Whether there is a line for the operation. */
  static boolean has(Operation operation) {
    return switch (operation) {
      case Glu op -> true;
      case Unary op -> op.kind() == Unary.Kind.SILU || op.kind() == Unary.Kind.GELU_QUICK;
      case Binary op -> op.kind() == Binary.Kind.SUB;
      default -> false;
    };
  }

  /**
   * Adds a member's version of a node, or of what it is lowered to.
   *
   * @param sources the member's
   * @param lowered which operations are
   */
  static Tensor add(
      GraphBuilder builder, Tensor node, List<Tensor> sources, Set<Operation> lowered) {
    if (!lowered.contains(node.operation())) {
      return builder.add(node.name(), node.operation(), sources, node.layer());
    }
    var sink =
        new Sink() {
          private int parts;

          @Override
          public Tensor add(Operation operation, List<Tensor> of) {
            String name = "%s.%s#%d".formatted(operation.label(), node.name(), parts++);
            return builder.add(name, operation, of, node.layer());
          }
        };
    return new Lowering(lowered::contains, sink)
        .add(node.operation(), sources.toArray(Tensor[]::new));
  }

  /**
   * The operations that must be lowered so that a device can compute a node that it refuses;
   * nothing if that does not help.
   *
   * @param already which are lowered there as it is
   */
  static Optional<Set<Operation>> find(Device device, Tensor node, Set<Operation> already) {
    Set<Operation> lowered = new HashSet<>(already);
    Operation next = node.operation();
    while (has(next) && lowered.add(next)) {
      var builder = new GraphBuilder();
      List<Tensor> nodes = new ArrayList<>();
      Sink sink =
          (operation, sources) -> {
            nodes.add(builder.add(operation, sources.toArray(Tensor[]::new)));
            return nodes.getLast();
          };
      new Lowering(lowered::contains, sink)
          .add(node.operation(), node.sources().toArray(Tensor[]::new));
      Optional<Tensor> refused =
          nodes.stream().filter(part -> !device.supports(part).supported()).findFirst();
      if (refused.isEmpty()) {
        return Optional.of(lowered);
      }
      next = refused.get().operation();
    }
    return Optional.empty();
  }

  private Tensor add(Operation operation, Tensor... sources) {
    if (!lowers.test(operation)) {
      return sink.add(operation, List.of(sources));
    }
    Tensor x = sources[0];
    return switch (operation) {
      case Glu op -> glu(op, x, sources[1]);
      case Unary op when op.kind() == Unary.Kind.SILU -> mul(x, unary(Unary.Kind.SIGMOID, x));
      case Unary op when op.kind() == Unary.Kind.GELU_QUICK ->
          mul(x, unary(Unary.Kind.SIGMOID, add(new Operation.Scale(1.702f, 0), x)));
      case Binary op when op.kind() == Binary.Kind.SUB ->
          add(new Binary(Binary.Kind.ADD), x, add(new Operation.Scale(-1, 0), sources[1]));
      default -> sink.add(operation, List.of(sources));
    };
  }

  private Tensor glu(Glu op, Tensor gate, Tensor up) {
    return switch (op.kind()) {
      case SWIGLU -> mul(unary(Unary.Kind.SILU, gate), up);
      case GEGLU -> mul(unary(Unary.Kind.GELU, gate), up);
      case REGLU -> mul(unary(Unary.Kind.RELU, gate), up);
      case SWIGLU_LIMITED -> {
        Tensor g = add(new Operation.Clamp(Float.NEGATIVE_INFINITY, op.limit()), gate);
        Tensor u = add(new Operation.Clamp(-op.limit(), op.limit()), up);
        Tensor s = unary(Unary.Kind.SIGMOID, add(new Operation.Scale(op.alpha(), 0), g));
        yield mul(mul(g, s), add(new Operation.Scale(1, 1), u));
      }
    };
  }

  private Tensor unary(Unary.Kind kind, Tensor x) {
    return add(new Unary(kind), x);
  }

  private Tensor mul(Tensor a, Tensor b) {
    return add(new Binary(Binary.Kind.MUL), a, b);
  }
}
