// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import java.util.List;
import java.util.Optional;

/** Turns groups of nodes into steps. Products are in {@link ProductLowering}. */
final class Lowering {
  /** Elements that make an item worth taking. */
  private static final long ITEM_ELEMENTS = 4096;

  private static final int CELLS_A_TILE = 64;
  private static final int ROWS_A_TILE = 32;
  private static final int ROWS_AT_ONCE = 4;
  private static final int CELLS_A_CHUNK = 256;
  private static final int MAX_CHUNKS = 64;
  private static final int FEW_ITEMS = 32;

  private final Steps steps;
  private final Places places;
  private final Scratch scratch;

  /**
   * @param scratch memory that starts anew with every group
   */
  Lowering(Steps steps, Places places, Scratch scratch) {
    this.steps = steps;
    this.places = places;
    this.scratch = scratch;
  }

  void lower(List<Tensor> group) {
    scratch.reset();
    Tensor node = group.getFirst();
    if (group.getLast().shape().isEmpty() && group.size() == 1) {
      return;
    }
    switch (node.operation()) {
      case Operation.MatMul op -> products().matMul(group);
      case Operation.MatMulId op -> products().matMulId(node);
      case Operation.GetRows op -> steps.add(elements(StepCode.GET_ROWS, node));
      case Operation.SetRows op -> setRows(node);
      case Operation.Binary op -> {
        steps.room(3 * 4 * node.ne(0));
        steps.add(elements(StepCode.BINARY, node).i(0, op.kind().ordinal()));
      }
      case Operation.Scale op ->
          steps.add(elements(StepCode.SCALE, node).f(0, op.scale()).f(1, op.bias()));
      case Operation.Unary op ->
          steps.add(elements(StepCode.UNARY, node).i(0, op.kind().ordinal()));
      case Operation.Glu op ->
          steps.add(
              elements(StepCode.GLU, node)
                  .i(0, op.kind().ordinal())
                  .f(0, op.alpha())
                  .f(1, op.limit()));
      case Operation.RmsNorm op -> norm(group, op);
      case Operation.Rope op -> rope(node, op);
      case Operation.Attention op -> attention(node, op);
      case Operation.SoftMax op -> steps.add(elements(StepCode.SOFT_MAX, node));
      case Operation.TopK op -> {
        steps.room(4 * node.source(0).ne(0));
        steps.add(
            sources(new Step(StepCode.TOP_K, node.ne(1)), node)
                .result(view(node))
                .i(0, node.sources().size() - 1));
      }
      case Operation.Sum op -> {
        steps.room(4 * node.source(0).ne(0));
        steps.add(elements(StepCode.SUM, node).i(0, op.axis()));
      }
      case Operation.Clamp op ->
          steps.add(elements(StepCode.CLAMP, node).f(0, op.min()).f(1, op.max()));
      case Operation.Copy op -> steps.add(elements(StepCode.COPY, node));
      default -> throw new IllegalStateException(node + " is not a step of its own");
    }
  }

  /**
   * A product that is a term of a sum over members. Either adds steps that leave it in the place of
   * the sum, or returns the step that adds it on to what is there, to be run before the next group.
   */
  Optional<Step> term(Tensor product, View sum) {
    scratch.reset();
    return products().term(product, sum);
  }

  private ProductLowering products() {
    return new ProductLowering(steps, places, scratch);
  }

  private View view(Tensor tensor) {
    return View.of(tensor, places.address(tensor));
  }

  private Step sources(Step step, Tensor node) {
    for (int i = 0; i < node.sources().size(); i++) {
      step.source(i, view(node.source(i)));
    }
    return step;
  }

  /** A step whose items are runs of rows of the node. */
  private Step elements(StepCode code, Tensor node) {
    long each = rowsAnItem(node.shape());
    steps.room(2 * 4 * node.ne(0));
    return sources(new Step(code, (node.shape().rows() + each - 1) / each), node)
        .result(view(node))
        .a(0, each);
  }

  private static long rowsAnItem(Shape shape) {
    return Math.max(1, ITEM_ELEMENTS / Math.max(1, shape.ne0()));
  }

  private void setRows(Tensor node) {
    Tensor state = node.source(0);
    Tensor rows = node.source(1);
    long each = rowsAnItem(rows.shape());
    steps.room(4 * rows.ne(0));
    steps.add(
        new Step(StepCode.SET_ROWS, (rows.shape().rows() + each - 1) / each)
            .source(0, view(rows))
            .source(1, view(node.source(2)))
            .result(View.of(state, places.address(node)))
            .a(0, each)
            .i(0, Math.max(1, state.shape().lastAxis())));
  }

  private void norm(List<Tensor> group, Operation.RmsNorm op) {
    Tensor x = group.getFirst().source(0);
    Tensor result = group.getLast();
    long each = rowsAnItem(result.shape());
    Step step =
        new Step(StepCode.RMS_NORM, (result.shape().rows() + each - 1) / each)
            .source(0, view(x))
            .result(view(result))
            .a(0, each)
            .f(0, op.eps());
    if (group.size() == 2) {
      step.source(1, view(result.source(1))).i(0, 1);
    }
    steps.room(4 * x.ne(0));
    steps.add(step);
  }

  private void rope(Tensor node, Operation.Rope op) {
    Tensor x = node.source(0);
    steps.room(4 * (op.dims() + x.ne(0)));
    steps.add(
        sources(new Step(StepCode.ROPE, x.ne(2) * x.ne(3)), node)
            .result(view(node))
            .i(0, op.mode().ordinal())
            .i(1, op.dims())
            .i(2, node.sources().size() - 2)
            .i(3, op.originalContext())
            .f(0, op.freqBase())
            .f(1, op.freqScale())
            .f(2, op.extFactor())
            .f(3, op.attnFactor())
            .f(4, op.betaFast())
            .f(5, op.betaSlow()));
  }

  private void attention(Tensor node, Operation.Attention op) {
    Tensor q = node.source(0);
    Tensor k = node.source(1);
    long heads = q.ne(1);
    long groups = k.ne(1);
    long tokens = q.ne(2);
    long cells = k.ne(2);
    if (cells == 0) {
      steps.add(zeros(view(node)));
      return;
    }
    long tile = Math.clamp(ROWS_A_TILE / (heads / groups), 1, 64);
    long tiles = (tokens + tile - 1) / tile;
    boolean split = groups * tiles < FEW_ITEMS && cells > CELLS_A_CHUNK;
    long perChunk = split ? chunkCells(cells) : cells;
    long chunks = (cells + perChunk - 1) / perChunk;
    long dv = node.ne(0);
    long partBytes = split ? 4 * chunks * tokens * heads * (dv + 2) : 0;
    long part = split ? scratch.take(partBytes) : 0;
    roomForAttention(q.ne(0), dv, tile * (heads / groups));
    Step step = attention(StepCode.ATTENTION, groups * tiles * chunks, node, op);
    step.a(0, tile).a(1, perChunk).a(2, chunks).a(3, part);
    if (!split) {
      steps.add(step.result(view(node)));
      return;
    }
    // The kernel reads the result's shape alone when it leaves parts.
    steps.add(step.result(view(node)).writes(part, partBytes));
    steps.add(
        attention(StepCode.ATTENTION_JOIN, heads * tokens, node, op)
            .result(view(node))
            .reads(part, partBytes)
            .a(1, perChunk)
            .a(3, part));
  }

  private static long chunkCells(long cells) {
    long atLeast = (cells + MAX_CHUNKS - 1) / MAX_CHUNKS;
    return Math.max(CELLS_A_CHUNK, (atLeast + CELLS_A_TILE - 1) / CELLS_A_TILE * CELLS_A_TILE);
  }

  private Step attention(StepCode code, long items, Tensor node, Operation.Attention op) {
    return sources(new Step(code, items), node)
        .i(0, op.window())
        .i(1, node.sources().size() - 6)
        .f(0, op.scale())
        .f(1, op.softcap());
  }

  private void roomForAttention(long keys, long values, long rows) {
    long d = (keys + 15) / 16 * 16;
    long dv = (values + 15) / 16 * 16;
    long floats = rows * (d + dv + 2) + CELLS_A_TILE * (d + dv + ROWS_AT_ONCE);
    steps.room(4 * floats);
  }

  /** Fills a contiguous result with zeros. */
  static Step zeros(View y) {
    return new Step(StepCode.SCALE, y.shape().rows()).source(0, y).result(y).a(0, 1).i(0, 1);
  }
}
