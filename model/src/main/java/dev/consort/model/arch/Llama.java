// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Operation.Glu;
import dev.consort.api.Operation.Rope;
import dev.consort.api.Tensor;
import java.util.List;

/**
 * Llama 1 to 3 and what is built like them: models that differ in nothing but the order of rotated
 * pairs, and in biases, norms, fused weights, frequency factors and experts, which are used where
 * the file has them.
 *
 * @param mode which elements are rotated together
 * @param feedForwardNorm the weight of the norm before the feed-forward part
 * @param required what each layer must have besides
 */
record Llama(String name, Rope.Mode mode, String feedForwardNorm, List<String> required)
    implements Architecture {
  @Override
  public Tensor build(Blocks model) {
    AttentionOptions attention = model.attention(mode);
    Tensor x = model.embeddings();
    for (Layer layer : model.layers()) {
      layer.require(required);
      x = model.add(x, layer.attention(layer.norm(x, "attn_norm"), attention));
      if (model.parameters().experts() > 0) {
        Tensor routed = layer.experts(layer.norm(x, feedForwardNorm), ExpertOptions.usual());
        x = model.add(x, routed);
      } else {
        x = layer.select(x);
        x = model.add(x, layer.feedForward(layer.norm(x, feedForwardNorm), Glu.Kind.SWIGLU));
      }
    }
    return model.head(x);
  }
}
