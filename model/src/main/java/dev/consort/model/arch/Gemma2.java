// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Operation.Glu;
import dev.consort.api.Operation.Rope;
import dev.consort.api.Tensor;

/** Gemma 2: soft caps, norms before and after each part, every other layer with a window. */
final class Gemma2 implements Architecture {
  private static final int LAYERS_OF_27B = 46;
  private static final int PERIOD = 2;
  private static final int WINDOW = 4096;

  @Override
  public String name() {
    return "gemma2";
  }

  @Override
  public Tensor build(Blocks model) {
    Hyperparameters p = model.parameters();
    AttentionOptions all =
        model.attention(Rope.Mode.NEOX).softcap(model.keys().real("attn_logit_softcapping", 50));
    if (p.layers() == LAYERS_OF_27B) {
      all = all.scale((float) (1 / Math.sqrt(p.embedding() / p.heads())));
    }
    AttentionOptions near = all.window(p.window() == 0 ? WINDOW : p.window());
    Tensor x = model.scale(model.embeddings(), (float) Math.sqrt(p.embedding()));
    for (Layer layer : model.layers()) {
      AttentionOptions attention = model.isNear(layer, PERIOD) ? near : all;
      Tensor attended = layer.attention(layer.norm(x, "attn_norm"), attention);
      x = layer.select(model.add(x, layer.norm(attended, "post_attention_norm")));
      Tensor fed = layer.feedForward(layer.norm(x, "ffn_norm"), Glu.Kind.GEGLU);
      x = model.add(x, layer.norm(fed, "post_ffw_norm"));
    }
    return model.head(x, 1, model.keys().real("final_logit_softcapping", 30));
  }
}
