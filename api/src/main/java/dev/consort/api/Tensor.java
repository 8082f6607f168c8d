// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.List;
import java.util.Optional;

/**
 * Describes one tensor of a graph: what it is called, what it looks like, and which operation on
 * which sources makes it. Immutable, holds no storage, and is equal to itself alone. Made by a
 * {@link GraphBuilder}.
 *
 * <p>A tensor that has a {@link #base()} shares the base's storage from {@link #offset()} on: a
 * view, or a new version of a state.
 */
@Stable(since = "1.0")
public final class Tensor {
  private final String name;
  private final DataType type;
  private final Shape shape;
  private final Strides strides;
  private final Operation operation;
  private final List<Tensor> sources;
  private final Optional<Tensor> base;
  private final long offset;
  private final int layer;

  Tensor(
      String name, Inference.Result result, Operation operation, List<Tensor> sources, int layer) {
    this.name = name;
    this.type = result.type();
    this.shape = result.shape();
    this.strides = result.strides();
    this.operation = operation;
    this.sources = List.copyOf(sources);
    this.base = result.base();
    this.offset = result.offset();
    this.layer = layer;
  }

  /** Unique within a graph; for weights, states and inputs the name they are bound by. */
  public String name() {
    return name;
  }

  public DataType type() {
    return type;
  }

  public Shape shape() {
    return shape;
  }

  public Strides strides() {
    return strides;
  }

  /** Shorthand for {@code shape().ne(axis)}. */
  public long ne(int axis) {
    return shape.ne(axis);
  }

  /** Shorthand for {@code strides().nb(axis)}. */
  public long nb(int axis) {
    return strides.nb(axis);
  }

  public Operation operation() {
    return operation;
  }

  public List<Tensor> sources() {
    return sources;
  }

  public Tensor source(int index) {
    return sources.get(index);
  }

  /** The tensor whose storage this one shares; always one that has storage of its own. */
  public Optional<Tensor> base() {
    return base;
  }

  /** The base if there is one, else this tensor: the one that owns the storage. */
  public Tensor root() {
    return base.orElse(this);
  }

  /** Bytes from the base's start to this tensor's; 0 without a base. */
  public long offset() {
    return offset;
  }

  /** The model layer that the builder was in, or -1: where a graph may be cut into stages. */
  public int layer() {
    return layer;
  }

  /** Weights, states and inputs: made outside the graph. */
  public boolean isLeaf() {
    return operation instanceof Operation.Leaf;
  }

  /** Reshape, slice and permute: there is nothing to compute. */
  public boolean isView() {
    return operation instanceof Operation.View;
  }

  public boolean isContiguous() {
    return strides.isContiguous(type, shape) || shape.isEmpty();
  }

  /** Bytes of the elements, without gaps. */
  public long bytes() {
    return shape.isEmpty() ? 0 : type.bytes(shape.ne0()) * shape.rows();
  }

  @Override
  public String toString() {
    return operation.label() + " " + name + " " + type.label() + shape;
  }
}
