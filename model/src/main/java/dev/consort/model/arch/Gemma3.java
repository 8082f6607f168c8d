// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Operation.Glu;
import dev.consort.api.Operation.Rope;
import dev.consort.api.Tensor;

/**
 * Gemma 3: as Gemma 2 without soft caps of scores, with norms of queries and keys; five layers with
 * a window and their own frequencies, then one without.
 */
final class Gemma3 implements Architecture {
  private static final int LAYERS_OF_27B = 62;
  private static final int PERIOD = 6;
  private static final float NEAR_BASE = 10_000;

  @Override
  public String name() {
    return "gemma3";
  }

  @Override
  public Tensor build(Blocks model) {
    Hyperparameters p = model.parameters();
    AttentionOptions all = model.attention(Rope.Mode.NEOX);
    if (p.layers() == LAYERS_OF_27B) {
      all = all.scale((float) (1 / Math.sqrt(p.embedding() / p.heads())));
    }
    float nearBase = model.keys().real("rope.freq_base_swa", NEAR_BASE);
    AttentionOptions near = all.window(p.window());
    near = near.rope(unscaled(near.rope().orElseThrow(), nearBase));
    Tensor x = model.scale(model.embeddings(), (float) Math.sqrt(p.embedding()));
    for (Layer layer : model.layers()) {
      layer.require(AttentionBlock.NORMS);
      boolean isNear = p.window() > 0 && model.isNear(layer, PERIOD);
      Tensor attended = layer.attention(layer.norm(x, "attn_norm"), isNear ? near : all);
      x = layer.select(model.add(x, layer.norm(attended, "post_attention_norm")));
      Tensor fed = layer.feedForward(layer.norm(x, "ffn_norm"), Glu.Kind.GEGLU);
      x = model.add(x, layer.norm(fed, "post_ffw_norm"));
    }
    return model.head(x, 1, model.keys().real("final_logit_softcapping", 0));
  }

  private static Rope unscaled(Rope rope, float base) {
    return new Rope(
        rope.mode(),
        rope.dims(),
        base,
        1,
        0,
        rope.attnFactor(),
        rope.betaFast(),
        rope.betaSlow(),
        rope.originalContext());
  }
}
