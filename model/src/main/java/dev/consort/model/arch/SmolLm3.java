// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Operation.Glu;
import dev.consort.api.Operation.Rope;
import dev.consort.api.Tensor;

/** SmolLM 3: Llama whose every fourth layer has no position encoding. */
final class SmolLm3 implements Architecture {
  private static final int PERIOD = 4;

  @Override
  public String name() {
    return "smollm3";
  }

  @Override
  public Tensor build(Blocks model) {
    AttentionOptions encoded = model.attention(Rope.Mode.NORM);
    AttentionOptions plain = encoded.withoutRope();
    Tensor x = model.embeddings();
    for (Layer layer : model.layers()) {
      AttentionOptions attention = (layer.index() + 1) % PERIOD == 0 ? plain : encoded;
      x = model.add(x, layer.attention(layer.norm(x, "attn_norm"), attention));
      x = layer.select(x);
      x = model.add(x, layer.feedForward(layer.norm(x, "ffn_norm"), Glu.Kind.SWIGLU));
    }
    return model.head(x);
  }
}
