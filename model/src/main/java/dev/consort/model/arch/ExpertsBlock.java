// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.GraphBuilder;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Tensor;
import java.util.Optional;

/**
 * A router chooses experts for each token; their outputs are summed by weight. Every expert is
 * split by its inner elements, so that all members take part in each; nothing after the down
 * projection but the weighted sum stands before the reduce.
 */
final class ExpertsBlock {
  /** Keeps a vanishing sum of shares from making infinite weights. */
  private static final float LEAST_SUM = 6.103515625e-5f;

  private final Layer layer;
  private final ExpertOptions options;
  private final GraphBuilder graph;
  private final Hyperparameters p;
  private final long inner;
  private final ShardGroup group;

  ExpertsBlock(Layer layer, ExpertOptions options) {
    this.layer = layer;
    this.options = options;
    this.graph = layer.graph();
    this.p = layer.model().parameters();
    layer.model().keys().refuse("expert_weights_scale");
    this.inner = layer.model().weights().shape(layer.name("ffn_down_exps.weight")).ne0();
    this.group = new ShardGroup("feed_forward." + layer.index(), inner);
  }

  Tensor build(Tensor x) {
    long tokens = x.ne(1);
    long embedding = p.embedding();
    Shape router = Shape.of(embedding, p.experts());
    Tensor scores = layer.linear(x, "ffn_gate_inp", router, Optional.empty());
    boolean shares = options.weighting() == ExpertOptions.Weighting.NORMALIZED_SHARE;
    Tensor rated = shares ? graph.softMax(scores) : scores;
    Tensor ids = graph.topK(rated, p.expertsUsed(), layer.model().input(Blocks.QUERIES));
    Tensor weight = weights(rated, ids, tokens);

    Tensor row = graph.reshape(x, Shape.of(embedding, 1, tokens));
    Optional<Shard> rows = Optional.of(Shard.of(1, group, 1));
    Tensor gate =
        biased(expert(row, "ffn_gate_exps", embedding, inner, ids, rows), "ffn_gate_exps", ids);
    Tensor up = biased(expert(row, "ffn_up_exps", embedding, inner, ids, rows), "ffn_up_exps", ids);
    Tensor acted = graph.add(options.activation(), gate, up);
    Optional<Shard> columns = Optional.of(Shard.of(0, group, 1));
    Tensor down = expert(acted, "ffn_down_exps", inner, embedding, ids, columns);
    Tensor sum = weightedSum(down, weight);
    return layer.has("ffn_down_exps.bias")
        ? graph.add(
            sum, weightedSum(bias("ffn_down_exps", embedding, ids, Optional.empty()), weight))
        : sum;
  }

  /** [embedding, used, T] to [embedding, T]. */
  private Tensor weightedSum(Tensor experts, Tensor weight) {
    return graph.reshape(
        graph.sum(graph.mul(experts, weight), 1), Shape.of(experts.ne(0), experts.ne(2)));
  }

  /** F32 [1, used, T]. */
  private Tensor weights(Tensor rated, Tensor ids, long tokens) {
    Tensor table = graph.reshape(rated, Shape.of(1, p.experts(), tokens));
    Tensor chosen = graph.reshape(graph.getRows(table, ids), Shape.of(p.expertsUsed(), tokens));
    Tensor weighted =
        switch (options.weighting()) {
          case SOFTMAX_OF_CHOSEN -> graph.softMax(chosen);
          case NORMALIZED_SHARE ->
              graph.div(
                  chosen, graph.clamp(graph.sum(chosen, 0), LEAST_SUM, Float.POSITIVE_INFINITY));
        };
    return graph.reshape(weighted, Shape.of(1, p.expertsUsed(), tokens));
  }

  private Tensor expert(
      Tensor x, String part, long columns, long rows, Tensor ids, Optional<Shard> shard) {
    Shape shape = Shape.of(columns, rows, p.experts());
    return graph.matMulId(layer.weight(part + ".weight", shape, shard), x, ids);
  }

  private Tensor biased(Tensor y, String part, Tensor ids) {
    return layer.has(part + ".bias")
        ? graph.add(y, bias(part, inner, ids, Optional.of(Shard.of(0, group, 1))))
        : y;
  }

  /** The chosen experts' biases, F32 [rows, used, T]. */
  private Tensor bias(String part, long rows, Tensor ids, Optional<Shard> shard) {
    Tensor all = layer.floats(part + ".bias", Shape.of(rows, p.experts()), shard);
    Tensor chosen = graph.getRows(all, graph.reshape(ids, Shape.of(ids.shape().elements())));
    return graph.reshape(chosen, Shape.of(rows, ids.ne(0), ids.ne(1)));
  }
}
