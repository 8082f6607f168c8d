// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import dev.consort.host.meta.SplitState.OnAxis;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * How every operation carries split states: what its sources must be, and what its result then is.
 * The one table of the meta device.
 *
 * <p>Where the sources' states fit no line of the table the operation is mirrored: its sources are
 * reduced or gathered, and every member computes all of it.
 */
final class SplitRules {
  private static final SplitState MIRRORED = SplitState.MIRRORED;
  private static final SplitState PARTIAL = SplitState.PARTIAL;

  /**
   * A line of the table.
   *
   * @param sources the state each source must have
   * @param result the state the result then has
   */
  record Rule(List<SplitState> sources, SplitState result) {}

  private final Tensor node;
  private final List<SplitState> in;

  private SplitRules(Tensor node, List<SplitState> in) {
    this.node = node;
    this.in = in;
  }

  static Rule of(Tensor node, List<SplitState> in) {
    if (in.stream().allMatch(SplitState::isMirrored)) {
      return new Rule(in, MIRRORED);
    }
    return new SplitRules(node, in)
        .lookUp()
        .filter(rule -> canCut(in, rule))
        .orElseGet(() -> mirrored(in));
  }

  /** What is whole can be cut into one segment, but not into pieces of several. */
  private static boolean canCut(List<SplitState> in, Rule rule) {
    for (int i = 0; i < in.size(); i++) {
      if (in.get(i).isMirrored()
          && rule.sources().get(i) instanceof OnAxis on
          && on.elementsPerUnit().size() > 1) {
        return false;
      }
    }
    return true;
  }

  private static Rule mirrored(List<SplitState> in) {
    return new Rule(Collections.nCopies(in.size(), MIRRORED), MIRRORED);
  }

  private Optional<Rule> lookUp() {
    return switch (node.operation()) {
      case Operation.Leaf op -> Optional.empty();
      case Operation.Reshape op -> reshape(op.shape());
      case Operation.Slice op -> slice(op);
      case Operation.Permute op ->
          through(onAxis -> Optional.of(onAxis.axis(op.axis(onAxis.axis()))), true);
      case Operation.MatMul op -> matMul();
      case Operation.MatMulId op -> matMulId();
      case Operation.GetRows op -> getRows();
      case Operation.SetRows op -> setRows();
      case Operation.Binary op -> binary(op.kind());
      case Operation.Scale op -> through(Optional::of, op.bias() == 0);
      case Operation.Unary op -> through(Optional::of, op.kind() == Operation.Unary.Kind.NEG);
      case Operation.Clamp op -> through(Optional::of, false);
      case Operation.Glu op -> alike(false);
      case Operation.RmsNorm op -> through(SplitRules::notAxis0, false);
      case Operation.SoftMax op -> through(SplitRules::notAxis0, false);
      case Operation.Rope op -> rope();
      case Operation.Attention op -> attention();
      case Operation.TopK op -> Optional.empty();
      case Operation.Sum op -> sum(op.axis());
      case Operation.Copy op -> through(Optional::of, op.type() == node.source(0).type());
      case Operation.AllReduce op -> Optional.empty();
    };
  }

  private interface AxisMap {
    Optional<OnAxis> map(OnAxis state);
  }

  private static Optional<OnAxis> notAxis0(OnAxis state) {
    return state.axis() == 0 ? Optional.empty() : Optional.of(state);
  }

  /** One source that matters; a sum goes through unreduced if the operation is linear. */
  private Optional<Rule> through(AxisMap map, boolean linear) {
    return switch (in.getFirst()) {
      case SplitState.Partial p when linear -> Optional.of(new Rule(in, PARTIAL));
      case OnAxis on -> map.map(on).map(to -> new Rule(in, to));
      default -> Optional.empty();
    };
  }

  private Optional<Rule> reshape(Shape to) {
    Shape from = node.source(0).shape();
    return through(on -> reshaped(on, from, to), true);
  }

  /** Finds the axis of {@code to} that ends where the split axis of {@code from} ends in memory. */
  private static Optional<OnAxis> reshaped(OnAxis on, Shape from, Shape to) {
    long inner = 1;
    for (int i = 0; i < on.axis(); i++) {
      inner *= from.ne(i);
    }
    long end = inner * from.ne(on.axis());
    long innerTo = 1;
    for (int axis = 0; axis < Shape.AXES; axis++) {
      if (innerTo * to.ne(axis) == end && to.ne(axis) > 1) {
        List<Long> perUnit = new ArrayList<>();
        for (long e : on.elementsPerUnit()) {
          if (e * inner % innerTo != 0) {
            return Optional.empty();
          }
          perUnit.add(e * inner / innerTo);
        }
        return Optional.of(new OnAxis(axis, on.group(), List.copyOf(perUnit)));
      }
      innerTo *= to.ne(axis);
    }
    return Optional.empty();
  }

  private Optional<Rule> slice(Operation.Slice op) {
    return through(
        on -> {
          if (on.axis() != op.axis()) {
            return Optional.of(on);
          }
          return segment(on, op)
              .map(s -> new OnAxis(on.axis(), on.group(), List.of(on.elementsPerUnit().get(s))));
        },
        true);
  }

  /** The segment that the slice cuts out exactly, if it does. */
  static Optional<Integer> segment(OnAxis on, Operation.Slice op) {
    long start = 0;
    for (int s = 0; s < on.elementsPerUnit().size(); s++) {
      long length = on.group().units() * on.elementsPerUnit().get(s);
      if (start == op.start() && length == op.length()) {
        return Optional.of(s);
      }
      start += length;
    }
    return Optional.empty();
  }

  private Optional<Rule> matMul() {
    SplitState w = in.get(0);
    SplitState x = in.get(1);
    if (w instanceof OnAxis rows && rows.axis() == 1 && x.isMirrored()) {
      return rule(rows.axis(0), w, MIRRORED);
    }
    if (w instanceof OnAxis inner && inner.axis() == 0 && (x.equals(w) || x.isMirrored())) {
      return rule(PARTIAL, w, w);
    }
    if (w instanceof OnAxis batch && batch.axis() >= 2 && x.isOnAxis(batch.axis())) {
      return sameCuts(batch, (OnAxis) x) ? rule(x, w, x) : Optional.empty();
    }
    if (w.isMirrored() && x instanceof OnAxis columns && columns.axis() == 1) {
      return rule(x, w, x);
    }
    if (w.isMirrored() && x.isPartial() || w.isPartial() && x.isMirrored()) {
      return rule(PARTIAL, w, x);
    }
    return Optional.empty();
  }

  private Optional<Rule> matMulId() {
    SplitState w = in.get(0);
    SplitState x = in.get(1);
    if (!in.get(2).isMirrored()) {
      return Optional.empty();
    }
    if (w instanceof OnAxis rows && rows.axis() == 1 && x.isMirrored()) {
      return rule(rows.axis(0), w, MIRRORED, MIRRORED);
    }
    if (w instanceof OnAxis inner && inner.axis() == 0 && (x.equals(w) || x.isMirrored())) {
      return rule(PARTIAL, w, w, MIRRORED);
    }
    if (w.isMirrored() && x.isPartial()) {
      return rule(PARTIAL, w, x, MIRRORED);
    }
    return Optional.empty();
  }

  private Optional<Rule> getRows() {
    SplitState table = in.get(0);
    boolean carries = table.isOnAxis(0) || table.isPartial();
    return carries && in.get(1).isMirrored() ? rule(table, table, MIRRORED) : Optional.empty();
  }

  private Optional<Rule> setRows() {
    SplitState state = in.get(0);
    int rows = Math.max(1, node.source(0).shape().lastAxis());
    boolean fits = state instanceof OnAxis on && on.axis() < rows && in.get(2).isMirrored();
    return fits && (in.get(1).equals(state) || in.get(1).isMirrored())
        ? rule(state, state, state, MIRRORED)
        : Optional.empty();
  }

  private Optional<Rule> binary(Operation.Binary.Kind kind) {
    SplitState a = in.get(0);
    SplitState b = in.get(1);
    boolean sum = kind == Operation.Binary.Kind.ADD || kind == Operation.Binary.Kind.SUB;
    if (a.isPartial() || b.isPartial()) {
      boolean both = a.isPartial() && b.isPartial();
      boolean left = a.isPartial() && b.isMirrored() && !sum;
      boolean right = a.isMirrored() && b.isPartial() && kind == Operation.Binary.Kind.MUL;
      return (both && sum) || left || right ? rule(PARTIAL, a, b) : Optional.empty();
    }
    if (a instanceof OnAxis on && b.isMirrored()) {
      boolean repeated = node.source(1).ne(on.axis()) == 1;
      if (repeated) {
        return rule(a, a, MIRRORED);
      }
    }
    return alike(true);
  }

  /** Both sources cut alike; one that is mirrored is cut the same way. */
  private Optional<Rule> alike(boolean sameExtent) {
    SplitState on = in.get(0) instanceof OnAxis ? in.get(0) : in.get(1);
    if (!(on instanceof OnAxis state)) {
      return Optional.empty();
    }
    for (int i = 0; i < 2; i++) {
      boolean fits = in.get(i).equals(on) || in.get(i).isMirrored();
      boolean extent = node.source(i).ne(state.axis()) == node.ne(state.axis());
      if (!fits || (sameExtent && !extent)) {
        return Optional.empty();
      }
    }
    return rule(on, on, on);
  }

  private Optional<Rule> rope() {
    boolean carries = in.getFirst().isOnAxis(1) && allMirroredFrom(1);
    return carries ? Optional.of(new Rule(in, in.getFirst())) : Optional.empty();
  }

  private Optional<Rule> attention() {
    if (!(in.get(0) instanceof OnAxis q && in.get(1) instanceof OnAxis k)
        || q.axis() != 1
        || k.axis() != 1
        || !in.get(2).equals(k)
        || !sameCuts(q, k)
        || !in.subList(3, 6).stream().allMatch(SplitState::isMirrored)) {
      return Optional.empty();
    }
    List<SplitState> sources = new ArrayList<>(in.subList(0, 6));
    if (in.size() == 7) {
      SplitState sinks = q.axis(0);
      if (!in.get(6).equals(sinks) && !in.get(6).isMirrored()) {
        return Optional.empty();
      }
      sources.add(sinks);
    }
    return Optional.of(new Rule(sources, q));
  }

  private Optional<Rule> sum(int axis) {
    if (in.getFirst().isOnAxis(axis)) {
      return Optional.of(new Rule(in, PARTIAL));
    }
    return through(Optional::of, true);
  }

  /** Whether both are cut at the same places of the same group, with a fixed ratio of elements. */
  private static boolean sameCuts(OnAxis a, OnAxis b) {
    return a.group().equals(b.group())
        && a.elementsPerUnit().size() == 1
        && b.elementsPerUnit().size() == 1;
  }

  private boolean allMirroredFrom(int index) {
    return in.stream().skip(index).allMatch(SplitState::isMirrored);
  }

  private static Optional<Rule> rule(SplitState result, SplitState... sources) {
    return Optional.of(new Rule(List.of(sources), result));
  }
}
