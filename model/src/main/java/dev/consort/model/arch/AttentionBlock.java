// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.DataType;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Operation.Rope;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Self-attention over the cache. What the file has is used: a fused {@code attn_qkv} or three
 * weights, biases, norms of queries and keys, sinks. All of it is split by key/value heads.
 */
final class AttentionBlock {
  static final List<String> NORMS = List.of("attn_q_norm.weight", "attn_k_norm.weight");

  private final Layer layer;
  private final AttentionOptions options;
  private final GraphBuilder graph;
  private final Hyperparameters p;
  private final ShardGroup group;

  AttentionBlock(Layer layer, AttentionOptions options) {
    this.layer = layer;
    this.options = options;
    this.graph = layer.graph();
    this.p = layer.model().parameters();
    this.group = new ShardGroup("attention." + layer.index(), p.kvHeads());
  }

  Tensor build(Tensor x) {
    long tokens = x.ne(1);
    List<Tensor> projected = layer.has("attn_qkv.weight") ? fused(x) : separate(x);
    Shape queries = Shape.of(p.keyLength(), p.heads(), tokens);
    Shape keys = Shape.of(p.keyLength(), p.kvHeads(), tokens);
    Shape values = Shape.of(p.valueLength(), p.kvHeads(), tokens);
    Tensor q = sharpen(encode(norm(graph.reshape(projected.get(0), queries), "attn_q_norm")));
    Tensor k = encode(norm(graph.reshape(projected.get(1), keys), "attn_k_norm"));
    Tensor v = graph.reshape(projected.get(2), values);
    Tensor attended = attend(q, store("cache_k.", k), store("cache_v.", v));
    long inner = (long) p.heads() * p.valueLength();
    return layer.linear(
        graph.reshape(attended, Shape.of(inner, tokens)),
        "attn_output",
        Shape.of(inner, p.embedding()),
        Optional.of(Shard.of(0, group, (long) p.groupSize() * p.valueLength())));
  }

  private List<Tensor> separate(Tensor x) {
    return List.of(
        project(x, "attn_q", (long) p.groupSize() * p.keyLength()),
        project(x, "attn_k", p.keyLength()),
        project(x, "attn_v", p.valueLength()));
  }

  private Tensor project(Tensor x, String part, long rowsPerUnit) {
    Shape shape = Shape.of(p.embedding(), rowsPerUnit * p.kvHeads());
    return layer.linear(x, part, shape, Optional.of(Shard.of(1, group, rowsPerUnit)));
  }

  /** One weight with the rows of all three; each part of it is multiplied on its own. */
  private List<Tensor> fused(Tensor x) {
    List<Long> rowsPerUnit =
        List.of((long) p.groupSize() * p.keyLength(), (long) p.keyLength(), (long) p.valueLength());
    long rows = rowsPerUnit.stream().mapToLong(Long::longValue).sum() * p.kvHeads();
    Tensor weight =
        layer.weight(
            "attn_qkv.weight",
            Shape.of(p.embedding(), rows),
            Optional.of(new Shard(1, group, rowsPerUnit)));
    Optional<Tensor> bias =
        layer.has("attn_qkv.bias")
            ? Optional.of(
                layer.floats(
                    "attn_qkv.bias", Shape.of(rows), Optional.of(new Shard(0, group, rowsPerUnit))))
            : Optional.empty();
    List<Tensor> parts = new ArrayList<>();
    long start = 0;
    for (long each : rowsPerUnit) {
      long from = start;
      long length = each * p.kvHeads();
      Tensor y = graph.matMul(graph.slice(weight, 1, from, length), x);
      parts.add(bias.map(b -> graph.add(y, graph.slice(b, 0, from, length))).orElse(y));
      start += length;
    }
    return parts;
  }

  private Tensor norm(Tensor heads, String part) {
    return layer.has(part + ".weight") ? layer.norm(heads, part) : heads;
  }

  private Tensor encode(Tensor heads) {
    if (options.rope().isEmpty()) {
      return heads;
    }
    Rope rope = options.rope().get();
    Tensor positions = layer.model().input(Blocks.POSITIONS);
    return options
        .factors()
        .map(factors -> graph.add(rope, heads, positions, factors))
        .orElseGet(() -> graph.add(rope, heads, positions));
  }

  private Tensor sharpen(Tensor queries) {
    return p.temperature().isPresent()
        ? graph.mul(queries, layer.model().input(Blocks.TEMPERATURES))
        : queries;
  }

  private Tensor store(String name, Tensor rows) {
    GraphSize size = layer.model().size();
    DataType type = name.equals("cache_k.") ? size.keys() : size.values();
    Shape shape = Shape.of(rows.ne(0), p.kvHeads(), size.cells());
    Tensor cache = graph.state(name + layer.index(), type, shape, Shard.of(1, group, 1));
    return graph.setRows(cache, rows, layer.model().input(Blocks.SLOTS));
  }

  private Tensor attend(Tensor q, Tensor k, Tensor v) {
    Blocks model = layer.model();
    List<Tensor> sources =
        new ArrayList<>(
            List.of(
                q,
                k,
                v,
                model.input(Blocks.QUERIES),
                model.input(Blocks.CELLS),
                model.input(Blocks.LIVE)));
    if (layer.has("attn_sinks.weight")) {
      Optional<Shard> shard = Optional.of(Shard.of(0, group, p.groupSize()));
      sources.add(layer.floats("attn_sinks.weight", Shape.of(p.heads()), shard));
    }
    return graph.add(
        new Operation.Attention(options.scale(), options.softcap(), options.window()),
        sources.toArray(Tensor[]::new));
  }
}
