// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Attention with an online softmax, query by query and cell by cell. Items and partial results are
 * those of attention.h.
 */
final class PortableAttention {
  private final PortableWorker worker;
  private float max;
  private float sum;

  PortableAttention(PortableWorker worker) {
    this.worker = worker;
  }

  private long liveCells() {
    return Math.clamp(worker.sources[5].intAt(0, 0), 0L, worker.sources[1].ne[2]);
  }

  void tile(long item) {
    PortableTensor q = worker.sources[0];
    long heads = q.ne[1];
    long group = heads / worker.sources[1].ne[1];
    long tile = worker.a(0);
    long tokens = q.ne[2];
    long tiles = (tokens + tile - 1) / tile;
    long chunk = item % worker.a(2);
    long rest = item / worker.a(2);
    long first = rest % tiles * tile;
    long g = rest / tiles;
    long from = chunk * worker.a(1);
    long to = Math.min(from + worker.a(1), liveCells());
    if (worker.a(3) != 0 && from >= to) {
      return;
    }
    for (long t = first; t < Math.min(first + tile, tokens); t++) {
      for (long h = g * group; h < (g + 1) * group; h++) {
        long values = query(t, h, g, from, to);
        if (worker.a(3) == 0) {
          finish(t, h, values);
        } else {
          long dv = worker.result.ne[0];
          long part = part(chunk, t, h);
          MemorySegment.copy(Memory.ALL, values, Memory.ALL, part, 4 * dv);
          Vectors.set(part + 4 * dv, max);
          Vectors.set(part + 4 * dv + 4, sum);
        }
      }
    }
  }

  private long part(long chunk, long t, long h) {
    PortableTensor q = worker.sources[0];
    return worker.a(3) + 4 * ((chunk * q.ne[2] + t) * q.ne[1] + h) * (worker.result.ne[0] + 2);
  }

  /** Leaves the weighted values, not yet divided, at the returned address. */
  private long query(long t, long h, long g, long from, long to) {
    PortableTensor q = worker.sources[0];
    PortableTensor k = worker.sources[1];
    PortableTensor v = worker.sources[2];
    long d = k.ne[0];
    long dv = v.ne[0];
    long query = worker.room;
    long key = query + 4 * d;
    long value = key + 4 * d;
    long values = value + 4 * dv;
    q.decode(q.at(h, t, 0), query, d);
    Memory.ALL.asSlice(values, 4 * dv).fill((byte) 0);
    max = Float.NEGATIVE_INFINITY;
    sum = 0;
    for (long s = from; s < to; s++) {
      if (sees(t, s)) {
        long keys = k.floats(k.at(g, s, 0), key);
        float score = cap(Vectors.dot(query, keys, d, worker.spill) * worker.f(0));
        add(values, score, v.floats(v.at(g, s, 0), value), dv);
      }
    }
    return values;
  }

  private float cap(float score) {
    float cap = worker.f(1);
    return cap > 0 ? cap * (float) Math.tanh(score / cap) : score;
  }

  private void add(long values, float score, long value, long dv) {
    if (score > max || Float.isNaN(score)) {
      float factor = max == Float.NEGATIVE_INFINITY ? 0 : (float) Math.exp(max - score);
      Vectors.scale(values, factor, values, dv);
      sum *= factor;
      max = score;
    }
    float weight = (float) Math.exp(score - max);
    sum += weight;
    Vectors.addScaled(values, weight, value, dv);
  }

  private boolean sees(long t, long s) {
    PortableTensor queries = worker.sources[3];
    PortableTensor cells = worker.sources[4];
    long behind = (long) queries.intAt(0, t) - cells.intAt(0, s);
    int window = worker.i(0);
    return (cells.intAt(1, s) & queries.intAt(1, t)) != 0
        && behind >= 0
        && (window == 0 || behind < window);
  }

  private void finish(long t, long h, long values) {
    PortableTensor y = worker.result;
    float factor = 0;
    boolean any = sum > 0 || Float.isNaN(sum);
    if (any) {
      factor = 1 / sum;
      if (worker.i(1) != 0) {
        float sink = Vectors.get(worker.sources[6].data + h * worker.sources[6].nb[0]);
        float top = Math.max(sink, max);
        float old = (float) Math.exp(max - top);
        factor = old / (sum * old + (float) Math.exp(sink - top));
      }
    }
    long to = y.at(h, t, 0);
    if (any) {
      Vectors.scale(to, factor, values, y.ne[0]);
    } else {
      Memory.ALL.asSlice(to, 4 * y.ne[0]).fill((byte) 0);
    }
  }

  /** Joins the chunks of one head of one query. */
  void join(long item) {
    PortableTensor q = worker.sources[0];
    long h = item % q.ne[1];
    long t = item / q.ne[1];
    long dv = worker.result.ne[0];
    long values = worker.room;
    Memory.ALL.asSlice(values, 4 * dv).fill((byte) 0);
    max = Float.NEGATIVE_INFINITY;
    sum = 0;
    long chunks = (liveCells() + worker.a(1) - 1) / worker.a(1);
    for (long chunk = 0; chunk < chunks; chunk++) {
      long part = part(chunk, t, h);
      float top = Vectors.get(part + 4 * dv);
      float weight = Vectors.get(part + 4 * dv + 4);
      if (weight > 0 || Float.isNaN(weight)) {
        float both = Math.max(max, top);
        float old = max == Float.NEGATIVE_INFINITY ? 0 : (float) Math.exp(max - both);
        float scale = (float) Math.exp(top - both);
        Vectors.scale(values, old, values, dv);
        Vectors.addScaled(values, scale, part, dv);
        sum = sum * old + weight * scale;
        max = both;
      }
    }
    finish(t, h, values);
  }
}
