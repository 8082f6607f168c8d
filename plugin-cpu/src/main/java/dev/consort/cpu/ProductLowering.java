// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.DataType;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Turns matrix products into steps: activations quantised once, then one step a weight. */
final class ProductLowering {
  private static final int PANELS_AN_ITEM = 2;
  private static final int MAX_ROWS_AN_ITEM = 32;
  private static final int QUANTIZED_ROWS_AN_ITEM = 8;
  private static final int SUM_FLOATS = 6 * 16;
  private static final int FEW_COLUMNS = Packing.FEW_COLUMNS;

  private final Steps steps;
  private final Places places;
  private final Scratch scratch;
  private final Packing packing;
  private final Map<String, Long> quantized = new HashMap<>();

  ProductLowering(Steps steps, Places places, Scratch scratch) {
    this.steps = steps;
    this.places = places;
    this.scratch = scratch;
    this.packing = places.packing();
  }

  /** Products of several weights with the same activations. */
  void matMul(List<Tensor> nodes) {
    View x = dense(nodes.getFirst().source(1));
    for (Tensor node : nodes) {
      if (places.packed(node.source(0))) {
        quantize(node.source(0).type(), x, node.source(0).shape());
      }
    }
    for (Tensor node : nodes) {
      if (!node.shape().isEmpty()) {
        matMul(node, x, view(node));
      }
    }
  }

  /** See {@link Lowering#term}. */
  Optional<Step> term(Tensor node, View sum) {
    if (node.shape().isEmpty()) {
      return Optional.empty();
    }
    View w = view(node.source(0));
    View x = dense(node.source(1));
    boolean goesOn =
        packing.goesOn()
            && places.packed(node.source(0))
            && w.shape().ne0() > 0
            && w.shape().rows() == w.shape().ne1()
            && w.shape().ne1() % packing.rows() == 0;
    if (!goesOn) {
      matMul(node, x, sum);
      return Optional.empty();
    }
    long activations = quantize(w.type(), x, w.shape());
    steps.room(packing.roomBytes(w.type(), x.shape().ne0(), x.shape().rows(), PANELS_AN_ITEM));
    return Optional.of(product(w, x.flat(), sum.flat(), activations));
  }

  private void matMul(Tensor node, View x, View y) {
    View w = view(node.source(0));
    if (w.shape().ne0() == 0) {
      steps.add(Lowering.zeros(y));
    } else if (places.packed(node.source(0))) {
      packed(w, x, y);
    } else {
      boolean oneMatrix = w.shape().ne2() == 1 && w.shape().ne3() == 1;
      if (oneMatrix && x.shape().rows() > FEW_COLUMNS) {
        tiled(w, x.flat(), y.flat());
      } else {
        dot(w, oneMatrix ? x.flat() : x, oneMatrix ? y.flat() : y);
      }
    }
  }

  /**
   * Floats times floats with both sides in tiles; weights of 16 bits may have tiles of their own.
   */
  private void tiled(View w, View x, View y) {
    long k = (w.shape().ne0() + 31) / 32 * 32;
    long bytes = 4 * k * x.shape().ne1();
    int half = w.type().blockBytes() == 2 ? 1 : 0;
    long tiles = quantized.computeIfAbsent("tiles/" + half, key -> tiles(x, half, bytes));
    long rows = MAX_ROWS_AN_ITEM;
    steps.room(4 * (rows * k + k + rows * SUM_FLOATS));
    steps.add(
        new Step(StepCode.MATMUL_TILES, (w.shape().ne1() + rows - 1) / rows)
            .source(0, w)
            .source(1, x)
            .result(y)
            .reads(tiles, bytes)
            .a(0, rows)
            .a(1, tiles)
            .i(0, half));
  }

  private long tiles(View x, int half, long bytes) {
    long to = scratch.take(bytes);
    steps.room(4 * (x.shape().ne0() + 16));
    steps.add(
        new Step(StepCode.TILES, x.shape().ne1())
            .source(0, x)
            .writes(to, bytes)
            .a(1, to)
            .i(0, half));
    return to;
  }

  private void dot(View w, View x, View y) {
    long m = w.shape().ne1();
    long k = w.shape().ne0();
    long most = w.type().isQuantized() ? QUANTIZED_ROWS_AN_ITEM : MAX_ROWS_AN_ITEM;
    long rows = Math.clamp((m + 31) / 32 / 4 * 4, 4, most);
    long items = (m + rows - 1) / rows * x.shape().ne2() * x.shape().ne3();
    steps.room(4 * (rows * SUM_FLOATS + (w.type().isQuantized() ? rows * k : 0)));
    Step step = new Step(StepCode.MATMUL_DOT, items).source(0, w).source(1, x).result(y);
    if (x.shape().rows() <= FEW_COLUMNS) {
      step.streams(w.address(), w.end() - w.address());
    }
    steps.add(step.a(0, rows));
  }

  private void packed(View w, View x, View y) {
    long k = w.shape().ne0();
    long m = w.shape().ne1();
    long matrices = w.shape().ne2() * w.shape().ne3();
    steps.room(packing.roomBytes(w.type(), k, x.shape().rows(), PANELS_AN_ITEM));
    if (matrices == 1) {
      steps.add(product(w, x.flat(), y.flat(), quantize(w.type(), x, w.shape())));
      return;
    }
    long repeat2 = x.shape().ne2() / w.shape().ne2();
    long repeat3 = x.shape().ne3() / w.shape().ne3();
    long columns = x.shape().ne1();
    long quantizedBatch = packing.activationBytes(w.type(), k, columns);
    long base = quantize(w.type(), x, w.shape());
    for (long i3 = 0; i3 < x.shape().ne3(); i3++) {
      for (long i2 = 0; i2 < x.shape().ne2(); i2++) {
        long batch = i3 * x.shape().ne2() + i2;
        long at = w.address() + i2 / repeat2 * w.strides().nb2() + i3 / repeat3 * w.strides().nb3();
        steps.add(
            product(
                View.contiguous(at, w.type(), Shape.of(k, m)),
                View.contiguous(
                    x.address() + batch * x.strides().nb2(), DataType.F32, Shape.of(k, columns)),
                View.contiguous(
                    y.address() + batch * y.strides().nb2(), DataType.F32, Shape.of(m, columns)),
                base + batch * quantizedBatch));
      }
    }
  }

  /** The step for one packed matrix. */
  private Step product(View w, View x, View y, long activations) {
    long m = w.shape().ne1();
    long panels = m / packing.rows();
    boolean few = x.shape().ne1() <= FEW_COLUMNS;
    long each = few ? 1 : PANELS_AN_ITEM;
    long items = (panels + each - 1) / each;
    long rest = m % packing.rows() == 0 ? 0 : 1;
    // The rows that fill no panel are the item after the last whole run.
    Step step =
        new Step(StepCode.MATMUL_PACKED, items + rest)
            .source(0, w)
            .source(1, x)
            .result(y)
            .a(0, each)
            .a(1, activations)
            .reads(
                activations, packing.activationBytes(w.type(), x.shape().ne0(), x.shape().ne1()));
    if (few) {
      step.streams(w.address(), w.end() - w.address());
    }
    return step;
  }

  /** Where x lies ready for weights of the type and shape; adds the step that does it. */
  private long quantize(DataType weights, View x, Shape shape) {
    boolean single = shape.ne2() == 1 && shape.ne3() == 1;
    StepCode code = packing.activations(weights);
    String key = code + "/" + single;
    Long known = quantized.get(key);
    if (known != null) {
      return known;
    }
    long columns = single ? x.shape().rows() : x.shape().ne1();
    long batches = single ? 1 : x.shape().ne2() * x.shape().ne3();
    long batchBytes = packing.activationBytes(weights, x.shape().ne0(), columns);
    long to = scratch.take(batches * batchBytes);
    for (long batch = 0; batch < batches; batch++) {
      View part =
          single
              ? x.flat()
              : View.contiguous(
                  x.address() + batch * x.strides().nb2(),
                  DataType.F32,
                  Shape.of(x.shape().ne0(), columns));
      steps.add(activations(code, part, columns, to + batch * batchBytes, batchBytes));
    }
    quantized.put(key, to);
    return to;
  }

  private static Step activations(StepCode code, View x, long columns, long to, long bytes) {
    return new Step(code, columns).source(0, x).writes(to, bytes).a(1, to);
  }

  /** One matrix for each row. */
  void matMulId(Tensor node) {
    View w = view(node.source(0));
    View x = dense(node.source(1));
    View ids = view(node.source(2));
    View y = view(node);
    long k = w.shape().ne0();
    long m = w.shape().ne1();
    long experts = w.shape().ne2();
    if (k == 0 || experts == 0) {
      steps.add(Lowering.zeros(y));
      return;
    }
    boolean packed = places.packed(node.source(0));
    long pairs = ids.shape().ne0() * ids.shape().ne1();
    long groupBytes = 4 * (3 + 2 * experts + pairs);
    long groups = scratch.take(groupBytes);
    steps.add(
        new Step(StepCode.GROUP, 1)
            .source(0, ids)
            .result(y)
            .writes(groups, groupBytes)
            .a(1, groups)
            .a(2, experts));
    long each = packed ? PANELS_AN_ITEM : QUANTIZED_ROWS_AN_ITEM;
    Step product =
        new Step(StepCode.MATMUL_ID, -1)
            .source(0, w)
            .source(1, x)
            .source(2, ids)
            .result(y)
            .reads(groups, groupBytes)
            .a(0, each)
            .a(2, groups);
    if (packed) {
      long columns = x.shape().rows();
      long bytes = packing.activationBytes(w.type(), k, columns);
      long to = scratch.take(bytes);
      StepCode code = packing.activations(w.type());
      steps.add(activations(code, x.flat(), columns, to, bytes).a(2, 1));
      product.a(1, to).reads(to, bytes).i(0, 1);
      steps.room(packing.roomBytesById(w.type(), k, PANELS_AN_ITEM));
    } else {
      steps.room(4 * (each * SUM_FLOATS + each * k));
    }
    steps.add(product);
  }

  private View view(Tensor tensor) {
    return View.of(tensor, places.address(tensor));
  }

  /** The activations without gaps: as they are, or copied. */
  private View dense(Tensor x) {
    View as = view(x);
    if (as.isContiguous()) {
      return as;
    }
    View copy = View.contiguous(scratch.take(x.bytes()), x.type(), x.shape());
    steps.room(4 * x.ne(0));
    steps.add(new Step(StepCode.COPY, x.shape().rows()).source(0, as).result(copy).a(0, 1));
    return copy;
  }
}
