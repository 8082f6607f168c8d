// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.memory;

import dev.consort.api.BufferType;
import dev.consort.api.Schedule;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** Finds out when each intermediate tensor of a list of pieces is in use. */
final class Lifetimes {
  private final HappensBefore order = new HappensBefore();
  private final Map<Tensor, BitSet> uses = new LinkedHashMap<>();
  private final Map<Tensor, Integer> definitions = new IdentityHashMap<>();
  private final List<Lifetime> found = new ArrayList<>();

  /**
   * @param received tensors that something outside the pieces writes, by the index of the piece
   *     that they must be in place for
   * @param given tensors that something outside the pieces reads, by the index of the piece after
   *     which it does, and before the next one
   * @param placed which tensors have a place already
   * @param kept tensors that are read from outside after the last piece
   */
  Lifetimes(
      BufferType type,
      List<Piece> pieces,
      Map<Tensor, Integer> received,
      Map<Tensor, Integer> given,
      Predicate<Tensor> placed,
      Collection<Tensor> kept) {
    int step = 0;
    for (int p = 0; p < pieces.size(); p++) {
      for (var entry : received.entrySet()) {
        if (entry.getValue() == p) {
          define(entry.getKey(), step, placed);
        }
      }
      int first = step;
      step = walk(pieces.get(p), step, placed);
      for (var entry : given.entrySet()) {
        BitSet used = uses.get(entry.getKey().root());
        if (entry.getValue() == p && used != null) {
          used.set(first, step + 1);
        }
      }
    }
    Set<Tensor> keep = new HashSet<>();
    kept.forEach(tensor -> keep.add(tensor.root()));
    uses.forEach(
        (tensor, used) ->
            found.add(
                new Lifetime(
                    tensor,
                    type.bytes(tensor),
                    definitions.get(tensor),
                    used,
                    keep.contains(tensor))));
  }

  List<Lifetime> all() {
    return found;
  }

  HappensBefore order() {
    return order;
  }

  private int walk(Piece piece, int first, Predicate<Tensor> placed) {
    order.append(piece.schedule());
    Set<Tensor> stored = Set.copyOf(piece.schedule().stored(piece.graph()));
    int step = first;
    for (Schedule.Step at : piece.schedule().steps()) {
      for (Tensor node : at.nodes()) {
        if (stored.contains(node)) {
          define(node, step, placed);
        }
        use(node.root(), step);
        for (Tensor source : node.sources()) {
          use(source.root(), step);
        }
      }
      step++;
    }
    return step;
  }

  private void define(Tensor tensor, int step, Predicate<Tensor> placed) {
    if (!placed.test(tensor) && tensor.base().isEmpty() && !uses.containsKey(tensor)) {
      definitions.put(tensor, step);
      uses.computeIfAbsent(tensor, t -> new BitSet()).set(step);
    }
  }

  private void use(Tensor root, int step) {
    BitSet used = uses.get(root);
    if (used != null) {
      used.set(step);
    }
  }
}
