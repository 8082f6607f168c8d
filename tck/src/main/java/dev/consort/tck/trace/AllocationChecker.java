// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.trace;

import dev.consort.api.Allocation;
import dev.consort.api.BufferType;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Schedule;
import dev.consort.api.Schedule.Step;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Proves an allocation against a schedule: two tensors may share bytes only if every use of one
 * happens before the step that makes the other. Weights, states, inputs and scratch memory share
 * with nothing, and nothing made later lies on an output; a tensor that an earlier piece of a graph
 * left may be overwritten after its last use.
 */
public final class AllocationChecker {
  private AllocationChecker() {}

  /** When tensors of a graph are in use. */
  public static Lifetimes lifetimes(Graph graph, Schedule schedule) {
    return new Lifetimes(graph, schedule);
  }

  /** The steps that make and use each tensor, and which of them happen before which. */
  public static final class Lifetimes {
    private final List<BitSet> before = new ArrayList<>();
    private final Map<Tensor, Integer> made = new IdentityHashMap<>();
    private final Map<Tensor, BitSet> uses = new IdentityHashMap<>();
    private final Set<Tensor> permanent = Collections.newSetFromMap(new IdentityHashMap<>());

    private Lifetimes(Graph graph, Schedule schedule) {
      for (int i = 0; i < schedule.steps().size(); i++) {
        Step step = schedule.steps().get(i);
        BitSet earlier = new BitSet();
        for (int after : step.after()) {
          earlier.set(after);
          earlier.or(before.get(after));
        }
        before.add(earlier);
        for (Tensor node : step.nodes()) {
          made.put(node, i);
          use(node, i);
          for (Tensor source : node.sources()) {
            use(source, i);
          }
        }
      }
      graph.outputs().forEach(output -> permanent.add(output.root()));
      graph.leaves().stream()
          .map(Tensor::root)
          .filter(leaf -> leaf.operation() instanceof Operation.Leaf)
          .forEach(permanent::add);
    }

    private void use(Tensor tensor, int step) {
      uses.computeIfAbsent(tensor.root(), root -> new BitSet()).set(step);
    }

    /** Whether one of them is over, whichever way the steps run, before the other is made. */
    public boolean mayShare(Tensor a, Tensor b) {
      return over(a, b) || over(b, a);
    }

    private boolean over(Tensor first, Tensor second) {
      Integer step = made.get(second);
      if (step == null || permanent.contains(first)) {
        return false;
      }
      BitSet open = (BitSet) uses(first).clone();
      open.andNot(before.get(step));
      return open.isEmpty();
    }

    private BitSet uses(Tensor tensor) {
      return uses.getOrDefault(tensor, new BitSet());
    }
  }

  /** What is wrong, in words; empty if the allocation is sound. */
  public static List<String> check(Graph graph, Schedule schedule, Allocation allocation) {
    Lifetimes lifetimes = lifetimes(graph, schedule);
    List<String> wrong = new ArrayList<>();
    List<Storage> places = places(graph, schedule, allocation, wrong);
    for (int i = 0; i < places.size(); i++) {
      Storage place = places.get(i);
      checkPlace(place, wrong);
      for (Storage other : places.subList(0, i)) {
        if (overlap(place, bytes(place), other, bytes(other))
            && !lifetimes.mayShare(place.tensor(), other.tensor())) {
          wrong.add(
              "%s and %s share bytes while both are live: they are used by steps %s and %s"
                  .formatted(
                      other.tensor(),
                      place.tensor(),
                      lifetimes.uses(other.tensor()),
                      lifetimes.uses(place.tensor())));
        }
      }
      allocation
          .scratch()
          .filter(scratch -> overlap(place, bytes(place), scratch, schedule.scratchBytes()))
          .ifPresent(scratch -> wrong.add(place.tensor() + " lies in the scratch memory"));
    }
    return wrong;
  }

  private static List<Storage> places(
      Graph graph, Schedule schedule, Allocation allocation, List<String> wrong) {
    List<Tensor> tensors =
        new ArrayList<>(graph.leaves().stream().map(Tensor::root).distinct().toList());
    tensors.addAll(schedule.stored(graph));
    List<Storage> places = new ArrayList<>();
    for (Tensor tensor : tensors) {
      if (allocation.holds(tensor)) {
        places.add(allocation.storage(tensor));
      } else if (graph.computes(tensor)) {
        wrong.add(tensor + " has no place");
      }
    }
    return places;
  }

  private static void checkPlace(Storage place, List<String> wrong) {
    BufferType type = place.buffer().type();
    if (place.offset() < 0 || place.offset() + bytes(place) > place.buffer().bytes()) {
      wrong.add(
          "%s lies at [%d, %d) of a buffer of %d bytes"
              .formatted(
                  place.tensor(),
                  place.offset(),
                  place.offset() + bytes(place),
                  place.buffer().bytes()));
    }
    if (place.offset() % type.alignment() != 0) {
      wrong.add(
          "%s lies at %d, which is no multiple of %d"
              .formatted(place.tensor(), place.offset(), type.alignment()));
    }
  }

  private static long bytes(Storage place) {
    Tensor tensor = place.tensor();
    return tensor.shape().isEmpty() ? 0 : place.buffer().type().bytes(tensor);
  }

  private static boolean overlap(Storage a, long aBytes, Storage b, long bBytes) {
    return a.buffer() == b.buffer()
        && a.offset() < b.offset() + bBytes
        && b.offset() < a.offset() + aBytes
        && aBytes > 0
        && bBytes > 0;
  }
}
