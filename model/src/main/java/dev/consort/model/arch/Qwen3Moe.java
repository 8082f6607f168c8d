// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Operation.Rope;
import dev.consort.api.Tensor;

/** Qwen 3 with experts: norms of queries and keys, no biases. */
final class Qwen3Moe implements Architecture {
  @Override
  public String name() {
    return "qwen3moe";
  }

  @Override
  public Tensor build(Blocks model) {
    AttentionOptions attention = model.attention(Rope.Mode.NEOX);
    Tensor x = model.embeddings();
    for (Layer layer : model.layers()) {
      layer.require(AttentionBlock.NORMS);
      x = model.add(x, layer.attention(layer.norm(x, "attn_norm"), attention));
      x = model.add(x, layer.experts(layer.norm(x, "ffn_norm"), ExpertOptions.usual()));
    }
    return model.head(x);
  }
}
