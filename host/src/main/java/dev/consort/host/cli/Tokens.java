// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;

/** Token ids as users write them. */
final class Tokens {
  private Tokens() {}

  /**
   * Reads {@code 1,2,3}.
   *
   * @param vocabulary ids are below it
   */
  static int[] parse(String list, int vocabulary) {
    String[] parts = list.split(",", -1);
    int[] tokens = new int[parts.length];
    for (int i = 0; i < parts.length; i++) {
      String part = parts[i].strip();
      try {
        tokens[i] = Integer.parseInt(part);
      } catch (NumberFormatException e) {
        throw new ConsortException(
            ErrorCode.INVALID_ARGUMENT,
            "token %d of the list is \"%s\"; expected token ids with commas between them, as in 1,15,7"
                .formatted(i + 1, part),
            e);
      }
      if (tokens[i] < 0 || tokens[i] >= vocabulary) {
        throw new ConsortException(
            ErrorCode.INVALID_ARGUMENT,
            "token %d of the list is %d; the model's token ids run from 0 to %d"
                .formatted(i + 1, tokens[i], vocabulary - 1));
      }
    }
    return tokens;
  }
}
