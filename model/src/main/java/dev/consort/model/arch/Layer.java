// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation.Glu;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.Tensor;
import java.util.List;
import java.util.Optional;

/** One layer under construction: its weights are named {@code blk.N.*}. */
public final class Layer {
  private final Blocks model;
  private final int index;

  Layer(Blocks model, int index) {
    this.model = model;
    this.index = index;
  }

  public int index() {
    return index;
  }

  boolean isLast() {
    return index == model.parameters().layers() - 1;
  }

  Blocks model() {
    return model;
  }

  GraphBuilder graph() {
    return model.graph();
  }

  String name(String part) {
    return "blk." + index + "." + part;
  }

  boolean has(String part) {
    return model.weights().has(name(part));
  }

  /**
   * Says that the file must have these tensors, which are used wherever they are found.
   *
   * @throws dev.consort.api.ConsortException INVALID_FILE if one is missing
   */
  public void require(List<String> parts) {
    parts.forEach(part -> model.weights().shape(name(part)));
  }

  /** RMS norm with the weight {@code part.weight}. */
  public Tensor norm(Tensor x, String part) {
    return model.norm(x, name(part + ".weight"), index);
  }

  /** Attention with projections, cache and output projection: [embedding, T] to the same. */
  public Tensor attention(Tensor x, AttentionOptions options) {
    return new AttentionBlock(this, options).build(x);
  }

  /** A gated feed-forward part: [embedding, T] to the same. */
  public Tensor feedForward(Tensor x, Glu.Kind activation) {
    return FeedForwardBlock.build(this, x, activation);
  }

  /** A mixture of experts: [embedding, T] to the same. */
  public Tensor experts(Tensor x, ExpertOptions options) {
    return new ExpertsBlock(this, options).build(x);
  }

  /** In the last layer, keeps the rows that get logits. */
  public Tensor select(Tensor x) {
    return isLast() ? model.select(x) : x;
  }

  /** {@code part.weight} times x, plus {@code part.bias} where the file has it. */
  Tensor linear(Tensor x, String part, Shape shape, Optional<Shard> shard) {
    Tensor y = graph().matMul(weight(part + ".weight", shape, shard), x);
    return has(part + ".bias") ? graph().add(y, bias(part, shape.ne1(), shard)) : y;
  }

  Tensor weight(String part, Shape shape, Optional<Shard> shard) {
    return shard
        .map(s -> model.weights().split(name(part), shape, s, index))
        .orElseGet(() -> model.weights().whole(name(part), shape, index));
  }

  Tensor floats(String part, Shape shape, Optional<Shard> shard) {
    return model.weights().floats(name(part), shape, shard, index);
  }

  /** The bias of a weight: split with its rows if those are split, else whole. */
  private Tensor bias(String part, long rows, Optional<Shard> shard) {
    Optional<Shard> own =
        shard.filter(s -> s.axis() == 1).map(s -> new Shard(0, s.group(), s.elementsPerUnit()));
    return floats(part + ".bias", Shape.of(rows), own);
  }
}
