// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Operation.Glu;
import dev.consort.api.Operation.Rope;
import dev.consort.api.Tensor;
import java.util.List;

/** GPT-OSS: biases, attention sinks, every other layer with a window, a limited SwiGLU. */
final class GptOss implements Architecture {
  private static final float ALPHA = 1.702f;
  private static final float LIMIT = 7;
  private static final int PERIOD = 2;

  @Override
  public String name() {
    return "gpt-oss";
  }

  @Override
  public Tensor build(Blocks model) {
    AttentionOptions all = model.attention(Rope.Mode.NEOX);
    AttentionOptions near = all.window(model.parameters().window());
    ExpertOptions experts =
        new ExpertOptions(
            ExpertOptions.Weighting.SOFTMAX_OF_CHOSEN,
            new Glu(Glu.Kind.SWIGLU_LIMITED, ALPHA, LIMIT));
    Tensor x = model.embeddings();
    for (Layer layer : model.layers()) {
      layer.require(List.of("attn_sinks.weight"));
      AttentionOptions attention = model.isNear(layer, PERIOD) ? near : all;
      x = model.add(x, layer.attention(layer.norm(x, "attn_norm"), attention));
      x = model.add(x, layer.experts(layer.norm(x, "post_attention_norm"), experts));
    }
    return model.head(x);
  }
}
