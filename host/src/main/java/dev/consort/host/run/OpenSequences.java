// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.util.BitSet;

/** The numbers of an engine's sequences that are open. */
final class OpenSequences {
  private final int most;
  private final BitSet open = new BitSet();

  OpenSequences(int most) {
    this.most = most;
  }

  /**
   * The number of a new one.
   *
   * @throws ConsortException INVALID_ARGUMENT if there are as many as there may be
   */
  int take() {
    int id = open.nextClearBit(0);
    if (id >= most) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "all %d sequences are in use; open the engine with more".formatted(most));
    }
    open.set(id);
    return id;
  }

  void release(int id) {
    open.clear(id);
  }

  /**
   * Refuses a batch with tokens of sequences that are not open.
   *
   * @throws ConsortException INVALID_ARGUMENT
   */
  void check(Batch batch) {
    int known = 0;
    for (int id = open.nextSetBit(0); id >= 0; id = open.nextSetBit(id + 1)) {
      known |= 1 << id;
    }
    for (int i = 0; i < batch.size(); i++) {
      if ((batch.sequences(i) & ~known) != 0) {
        throw new ConsortException(
            ErrorCode.INVALID_ARGUMENT,
            "found a token of sequences %x (a bit each), expected some of %x, which are open"
                .formatted(batch.sequences(i), known));
      }
    }
  }
}
