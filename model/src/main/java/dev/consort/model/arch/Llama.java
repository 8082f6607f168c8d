// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Operation.Glu;
import dev.consort.api.Operation.Rope;
import dev.consort.api.Tensor;

/**
 * Llama 1 to 3 and what is built like them; with experts in the layers that have them (Mixtral).
 */
final class Llama implements Architecture {
  @Override
  public String name() {
    return "llama";
  }

  @Override
  public Tensor build(Blocks model) {
    AttentionOptions attention = model.attention(Rope.Mode.NORM);
    Tensor x = model.embeddings();
    for (Layer layer : model.layers()) {
      x = model.add(x, layer.attention(layer.norm(x, "attn_norm"), attention));
      if (model.parameters().experts() > 0) {
        Tensor routed = layer.experts(layer.norm(x, "ffn_norm"), ExpertOptions.usual());
        x = model.add(x, routed);
      } else {
        x = layer.select(x);
        x = model.add(x, layer.feedForward(layer.norm(x, "ffn_norm"), Glu.Kind.SWIGLU));
      }
    }
    return model.head(x);
  }
}
