// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Operation.Glu;
import dev.consort.api.Operation.Rope;
import dev.consort.api.Tensor;

/**
 * Granite: Llama with factors on embeddings, scores, residual branches and logits; files say with
 * {@code rope.scaling.finetuned} whether there is a position encoding.
 */
final class Granite implements Architecture {
  @Override
  public String name() {
    return "granite";
  }

  @Override
  public Tensor build(Blocks model) {
    Keys keys = model.keys();
    AttentionOptions attention = model.attention(Rope.Mode.NORM);
    if (!keys.flag("rope.scaling.finetuned", true)) {
      attention = attention.withoutRope();
    }
    float residual = factor(keys.real("residual_scale", 1));
    Tensor x = model.scale(model.embeddings(), factor(keys.real("embedding_scale", 1)));
    for (Layer layer : model.layers()) {
      Tensor attended = layer.attention(layer.norm(x, "attn_norm"), attention);
      x = layer.select(model.add(x, model.scale(attended, residual)));
      Tensor fed = layer.feedForward(layer.norm(x, "ffn_norm"), Glu.Kind.SWIGLU);
      x = model.add(x, model.scale(fed, residual));
    }
    return model.head(x, 1 / factor(keys.real("logit_scale", 1)), 0);
  }

  /** 0 stands for no factor. */
  private static float factor(float value) {
    return value == 0 ? 1 : value;
  }
}
