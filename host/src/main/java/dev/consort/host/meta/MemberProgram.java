// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Graph;
import dev.consort.api.Tensor;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * What one member does for one graph.
 *
 * @param pieces graphs over the member's own tensors, to be compiled into one plan each
 * @param steps pieces and meetings, in order
 * @param leaves the member's weights, states and inputs, by the tensor of the whole graph
 * @param outputs the member's pieces of the graph's outputs, by the tensor of the whole graph
 */
record MemberProgram(
    List<Graph> pieces, List<Step> steps, Map<Tensor, Tensor> leaves, Map<Tensor, Tensor> outputs) {

  /** One step of a member. */
  sealed interface Step {}

  /** Submits the plan of a piece. */
  record Run(int piece) implements Step {}

  /**
   * Takes part in an exchange that the host carries.
   *
   * @param exchange the same number on all members that take part
   * @param kind what happens
   * @param from the member whose bytes travel, for a hand-over or a broadcast, or {@link #ANYONE}
   * @param to the member they travel to, for a hand-over
   * @param tensor what this member gives, or for the receiver of a hand-over what it gets
   * @param whole what it gets by a gather; else {@code tensor}
   * @param full the tensor of the whole graph
   * @param before how the tensor lies on the members before
   */
  record Meet(
      int exchange,
      ExchangeKind kind,
      int from,
      int to,
      Tensor tensor,
      Tensor whole,
      Tensor full,
      SplitState before)
      implements Step {
    /** All members have bytes that may travel. */
    static final int ANYONE = -1;
  }

  /** The tensors that others write, by the index of the piece that reads them first. */
  Map<Tensor, Integer> received() {
    Map<Tensor, Integer> received = new IdentityHashMap<>();
    int last = pieces.size() - 1;
    int piece = 0;
    for (Step step : steps) {
      switch (step) {
        case Run run -> piece = run.piece() + 1;
        case Meet meet -> {
          boolean written = meet.whole() != meet.tensor() || meet.whole().isLeaf();
          if (written || meet.kind() == ExchangeKind.HAND_OVER) {
            // What nobody here reads needs a place too.
            received.putIfAbsent(meet.whole(), Math.min(piece, last));
          }
        }
      }
    }
    return received;
  }

  /** The tensors that others read, by the index of the piece after which they do. */
  Map<Tensor, Integer> given() {
    Map<Tensor, Integer> given = new IdentityHashMap<>();
    int piece = -1;
    for (Step step : steps) {
      switch (step) {
        case Run run -> piece = run.piece();
        case Meet meet -> given.put(meet.tensor(), piece);
      }
    }
    return given;
  }
}
