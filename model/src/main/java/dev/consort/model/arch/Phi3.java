// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Operation.Glu;
import dev.consort.api.Operation.Rope;
import dev.consort.api.Tensor;

/**
 * Phi 3: fused query/key/value and gate/up weights; two sets of frequency factors, chosen by the
 * context's length. Its sliding window is not used, as in llama.cpp.
 */
final class Phi3 implements Architecture {
  private static final String LONG = "rope_factors_long.weight";
  private static final String SHORT = "rope_factors_short.weight";

  @Override
  public String name() {
    return "phi3";
  }

  @Override
  public Tensor build(Blocks model) {
    Rope rope = model.rope(Rope.Mode.NEOX);
    boolean isLong = model.size().context() > rope.originalContext();
    AttentionOptions attention =
        model
            .attention(Rope.Mode.NEOX)
            .factors(model.frequencyFactors(isLong ? LONG : SHORT, rope));
    model.ignoreWeight(isLong ? SHORT : LONG);
    Tensor x = model.embeddings();
    for (Layer layer : model.layers()) {
      x = model.add(x, layer.attention(layer.norm(x, "attn_norm"), attention));
      x = layer.select(x);
      x = model.add(x, layer.feedForward(layer.norm(x, "ffn_norm"), Glu.Kind.SWIGLU));
    }
    return model.head(x);
  }
}
