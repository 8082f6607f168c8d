// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/**
 * Tensors that are cut together: the heads of a layer's attention, the inner dimension of its
 * feed-forward part, the vocabulary.
 *
 * @param name unique within a graph
 * @param units the smallest pieces a cut may fall between (key/value heads, inner elements, rows)
 */
@Stable(since = "1.0")
public record ShardGroup(String name, long units) {
  public ShardGroup {
    if (units < 1) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, "shard group " + name + " has " + units + " units");
    }
  }
}
