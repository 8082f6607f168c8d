// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.synth;

import dev.consort.api.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * A weight to make.
 *
 * @param layer its layer, or -1
 */
record WeightSpec(String name, Shape shape, WeightRole role, int layer) {

  /** All weights of a model. */
  static List<WeightSpec> of(Geometry g) {
    List<WeightSpec> all = new ArrayList<>();
    all.add(
        new WeightSpec(
            "token_embd.weight",
            Shape.of(g.embedding(), g.vocabulary()),
            WeightRole.EMBEDDING,
            -1));
    for (int layer = 0; layer < g.layers(); layer++) {
      new LayerSpecs(g, layer, all).add();
    }
    all.add(new WeightSpec("output_norm.weight", Shape.of(g.embedding()), WeightRole.NORM, -1));
    all.add(
        new WeightSpec(
            "output.weight", Shape.of(g.embedding(), g.vocabulary()), WeightRole.OUTPUT, -1));
    return all;
  }

  private record LayerSpecs(Geometry g, int layer, List<WeightSpec> all) {
    void add() {
      long e = g.embedding();
      long q = (long) g.heads() * g.headLength();
      long kv = (long) g.kvHeads() * g.headLength();
      add("attn_norm", Shape.of(e), WeightRole.NORM);
      add("attn_q", Shape.of(e, q), WeightRole.OTHER);
      add("attn_k", Shape.of(e, kv), WeightRole.KEY);
      add("attn_v", Shape.of(e, kv), WeightRole.VALUE);
      add("attn_output", Shape.of(q, e), WeightRole.ATTENTION_OUTPUT);
      add("ffn_norm", Shape.of(e), WeightRole.NORM);
      if (g.experts() == 0) {
        add("ffn_gate", Shape.of(e, g.feedForward()), WeightRole.OTHER);
        add("ffn_up", Shape.of(e, g.feedForward()), WeightRole.OTHER);
        add("ffn_down", Shape.of(g.feedForward(), e), WeightRole.DOWN);
      } else {
        add("attn_q_norm", Shape.of(g.headLength()), WeightRole.NORM);
        add("attn_k_norm", Shape.of(g.headLength()), WeightRole.NORM);
        add("ffn_gate_inp", Shape.of(e, g.experts()), WeightRole.ROUTER);
        add("ffn_gate_exps", Shape.of(e, g.feedForward(), g.experts()), WeightRole.OTHER);
        add("ffn_up_exps", Shape.of(e, g.feedForward(), g.experts()), WeightRole.OTHER);
        add("ffn_down_exps", Shape.of(g.feedForward(), e, g.experts()), WeightRole.DOWN);
      }
    }

    private void add(String part, Shape shape, WeightRole role) {
      all.add(new WeightSpec("blk." + layer + "." + part + ".weight", shape, role, layer));
    }
  }
}
