// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;

/**
 * What varies between the graphs of one model.
 *
 * @param tokens rows of a micro-batch
 * @param outputs rows that get logits
 * @param cells cells of the cache, of all sequences together
 * @param context the longest sequence; the same for all graphs of a session, because some models
 *     choose their position encoding by it
 * @param keys type of the key cache: F32, F16 or BF16
 * @param values type of the value cache
 */
public record GraphSize(
    int tokens, int outputs, int cells, int context, DataType keys, DataType values) {
  public GraphSize {
    if (tokens < 1 || outputs < 1 || outputs > tokens || cells < 1 || context < 1) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found %d tokens, %d outputs, %d cells, context %d; expected at least 1 of each and not"
                  .formatted(tokens, outputs, cells, context)
              + " more outputs than tokens");
    }
  }
}
