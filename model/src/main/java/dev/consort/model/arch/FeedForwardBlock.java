// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation.Glu;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * {@code down(act(gate x) * up x)}, split by inner elements. Without an own {@code ffn_gate} the
 * rows of {@code ffn_up} are the gate's and then up's.
 */
final class FeedForwardBlock {
  private FeedForwardBlock() {}

  static Tensor build(Layer layer, Tensor x, Glu.Kind activation) {
    GraphBuilder graph = layer.graph();
    long embedding = layer.model().parameters().embedding();
    long inner = layer.model().weights().shape(layer.name("ffn_down.weight")).ne0();
    ShardGroup group = new ShardGroup("feed_forward." + layer.index(), inner);
    Shape shape = Shape.of(embedding, inner);
    Optional<Shard> rows = Optional.of(Shard.of(1, group, 1));
    Tensor gate;
    Tensor up;
    if (layer.has("ffn_gate.weight")) {
      gate = layer.linear(x, "ffn_gate", shape, rows);
      up = layer.linear(x, "ffn_up", shape, rows);
    } else {
      Optional<Shard> both = Optional.of(new Shard(1, group, List.of(1L, 1L)));
      Tensor weight = layer.weight("ffn_up.weight", Shape.of(embedding, 2 * inner), both);
      gate = graph.matMul(graph.slice(weight, 1, 0, inner), x);
      up = graph.matMul(graph.slice(weight, 1, inner, inner), x);
    }
    return layer.linear(
        graph.glu(activation, gate, up),
        "ffn_down",
        Shape.of(inner, embedding),
        Optional.of(Shard.of(0, group, 1)));
  }
}
