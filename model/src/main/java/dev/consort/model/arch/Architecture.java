// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Tensor;

/** One kind of model: how its weights make logits out of embeddings. Stateless. */
public interface Architecture {

  /** The value of {@code general.architecture}. */
  String name();

  /**
   * Adds the model to the graph that {@code model} builds.
   *
   * @return F32 [vocabulary, outputs]
   */
  Tensor build(Blocks model);
}
