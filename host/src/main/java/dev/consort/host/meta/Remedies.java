// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What is done about what members refuse. All graphs of the same weights share them, so that the
 * weights lie where every one of these graphs looks for them.
 */
final class Remedies {
  /** Remedies of one kind are told in one note, with the first of them as the example. */
  private record Note(int member, String before, String example, String after, int count) {
    String key() {
      return member + before + after;
    }

    Note and(Note another) {
      return new Note(member, before, example, after, count + another.count);
    }

    String text() {
      return before + example + (count > 1 ? " and %d more".formatted(count - 1) : "") + after;
    }
  }

  private final double[] shares;
  private final List<Set<Operation>> lowered = new ArrayList<>();
  private final List<Map<String, DataType>> types = new ArrayList<>();
  private final Map<String, Integer> homes = new HashMap<>();
  private final Map<String, Note> notes = new LinkedHashMap<>();
  private final List<String> idle = new ArrayList<>();

  /**
   * Nothing is refused so far.
   *
   * @param shares of the work, one a member
   */
  Remedies(double[] shares) {
    this.shares = shares.clone();
    for (int m = 0; m < shares.length; m++) {
      lowered.add(new HashSet<>());
      types.add(new HashMap<>());
    }
  }

  Remedies copy() {
    var copy = new Remedies(shares);
    for (int m = 0; m < shares.length; m++) {
      copy.lowered.get(m).addAll(lowered.get(m));
      copy.types.get(m).putAll(types.get(m));
    }
    copy.homes.putAll(homes);
    copy.notes.putAll(notes);
    copy.idle.addAll(idle);
    return copy;
  }

  /** The members' shares; none for those that stay idle. */
  double[] shares() {
    return shares.clone();
  }

  /** The operations that the member computes as several simpler ones. */
  Set<Operation> lowered(int member) {
    return Set.copyOf(lowered.get(member));
  }

  void lower(int member, Set<Operation> operations) {
    lowered.get(member).addAll(operations);
  }

  /** The data type in which the member holds a leaf. */
  DataType type(int member, Tensor leaf) {
    DataType own = ((Operation.Leaf) leaf.operation()).type();
    return leaf.operation() instanceof Operation.Weight
        ? types.get(member).getOrDefault(leaf.name(), own)
        : own;
  }

  /**
   * Whether the member is to hold a weight in another type than that of this tensor of its graph.
   */
  boolean isRecoded(int member, Tensor weight) {
    return type(member, weight) != weight.type();
  }

  void recode(int member, String weight, DataType type) {
    types.get(member).put(weight, type);
  }

  /** The one member that computes a node for all, if it is not left to each. */
  OptionalInt home(Tensor node) {
    Integer home = homes.get(node.name());
    return home == null ? OptionalInt.empty() : OptionalInt.of(home);
  }

  /** Whether the member computes anything for all. */
  boolean isHome(int member) {
    return homes.containsValue(member);
  }

  void settle(Tensor node, int home) {
    homes.put(node.name(), home);
  }

  /**
   * Leaves a member out. What the others compute in its place, or it in theirs, is decided anew.
   */
  void idle(int member, String note) {
    shares[member] = 0;
    lowered.get(member).clear();
    types.get(member).clear();
    homes.clear();
    notes.values().removeIf(known -> known.member() == member || known.member() < 0);
    idle.add(note);
  }

  /**
   * Remembers what to tell people: in one note for all remedies of which only the example differs.
   *
   * @param member whose remedy it is, or -1 for one that takes several members
   */
  void note(int member, String before, String example, String after) {
    var note = new Note(member, before, example, after, 1);
    notes.merge(note.key(), note, Note::and);
  }

  /** For people. */
  List<String> notes() {
    List<String> all = new ArrayList<>(idle);
    notes.values().forEach(note -> all.add(note.text()));
    return all;
  }
}
