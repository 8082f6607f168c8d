// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Backend;
import dev.consort.api.Plan;
import dev.consort.api.Storage;
import dev.consort.host.Closing;
import java.util.ArrayList;
import java.util.List;

/**
 * A graph compiled for the members of a meta device: for each an ordered list of plans to submit
 * and meetings to take part in.
 */
final class MetaPlan implements Plan {
  /** What a member does next. */
  sealed interface Action {}

  /** Submits a plan of the member's own. */
  record Submit(Plan plan) implements Action {}

  /** Takes part in a meeting of all members. */
  record Meet(
      Rendezvous at,
      int index,
      Purpose purpose,
      Storage mine,
      Storage whole,
      Rendezvous.Views views)
      implements Action {}

  /** Hands a tensor to a later stage. */
  record Give(HandOver over, Storage tensor) implements Action {}

  /** Gets a tensor from an earlier stage. */
  record Take(HandOver over, Storage tensor) implements Action {}

  private volatile boolean closed;
  private final MetaBackend backend;
  private final List<Action[]> actions;
  private final List<HandOver> handOvers;

  MetaPlan(MetaBackend backend, List<List<Action>> actions, List<HandOver> handOvers) {
    this.backend = backend;
    this.actions = actions.stream().map(list -> list.toArray(Action[]::new)).toList();
    this.handOvers = List.copyOf(handOvers);
  }

  @Override
  public Backend backend() {
    return backend;
  }

  /** Whether the member waits for others in the midst of this plan. */
  boolean exchanges(int member) {
    for (Action action : actions.get(member)) {
      if (!(action instanceof Submit)) {
        return true;
      }
    }
    return false;
  }

  boolean isIdle(int member) {
    return actions.get(member).length == 0;
  }

  /** Plans that the member submits. */
  List<Plan> plans(int member) {
    List<Plan> plans = new ArrayList<>();
    for (Action action : actions.get(member)) {
      if (action instanceof Submit submit) {
        plans.add(submit.plan());
      }
    }
    return plans;
  }

  /** Does the member's part. */
  void run(int member, Backend on) {
    for (Action action : actions.get(member)) {
      switch (action) {
        case Submit submit -> on.submit(submit.plan());
        case Meet meet ->
            meet.at()
                .meet(meet.index(), on, meet.purpose(), meet.mine(), meet.whole(), meet.views());
        case Give give -> give.over().give(on, give.tensor());
        case Take take -> take.over().take(on, take.tensor());
      }
    }
  }

  boolean isClosed() {
    return closed;
  }

  /** The members' threads are done with it first; their plans then finish what is under way. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    List<AutoCloseable> all = new ArrayList<>();
    for (int m = 0; m < actions.size(); m++) {
      backend.submitter(m).settle();
      all.addAll(plans(m));
    }
    all.addAll(handOvers);
    Closing.all(all);
  }
}
