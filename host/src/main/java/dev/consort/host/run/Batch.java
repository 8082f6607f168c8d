// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.util.Arrays;

/** Tokens to evaluate together, of one sequence or several. Reusable; not thread safe. */
public final class Batch {
  private int[] tokens;
  private int[] positions;
  private int[] sequences;
  private boolean[] wanted;
  private int size;

  public Batch(int capacity) {
    tokens = new int[capacity];
    positions = new int[capacity];
    sequences = new int[capacity];
    wanted = new boolean[capacity];
  }

  public int size() {
    return size;
  }

  public void clear() {
    size = 0;
  }

  /**
   * @param position where the token stands in its sequence, from 0
   * @param sequences bit set of the sequences that see it
   * @param wantsLogits whether its logits are needed
   */
  public Batch add(int token, int position, int sequences, boolean wantsLogits) {
    if (token < 0 || position < 0 || sequences == 0) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found token %d at position %d in sequences %x; expected 0 or more, 0 or more, at least one"
              .formatted(token, position, sequences));
    }
    if (size == tokens.length) {
      grow();
    }
    tokens[size] = token;
    positions[size] = position;
    this.sequences[size] = sequences;
    wanted[size++] = wantsLogits;
    return this;
  }

  int token(int i) {
    return tokens[i];
  }

  int position(int i) {
    return positions[i];
  }

  int sequences(int i) {
    return sequences[i];
  }

  boolean isWanted(int i) {
    return wanted[i];
  }

  int wanted(int from, int to) {
    int count = 0;
    for (int i = from; i < to; i++) {
      count += wanted[i] ? 1 : 0;
    }
    return count;
  }

  private void grow() {
    int capacity = Math.max(16, tokens.length * 2);
    tokens = Arrays.copyOf(tokens, capacity);
    positions = Arrays.copyOf(positions, capacity);
    sequences = Arrays.copyOf(sequences, capacity);
    wanted = Arrays.copyOf(wanted, capacity);
  }
}
