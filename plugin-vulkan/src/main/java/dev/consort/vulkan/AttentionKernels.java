// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.DataType;
import dev.consort.api.Operation.Attention;
import dev.consort.api.Tensor;
import java.util.List;

/**
 * Attention over a cache. The grid covers heads, queries and splits of the cache's capacity; how
 * much of it is live is read on the device, so that one plan serves every step.
 */
final class AttentionKernels {
  private static final int FEWEST_FOR_CORES = 16;
  private static final int QUERIES_OF_CORES = 64;
  private static final int THREADS_OF_CORES = 128;

  private AttentionKernels() {}

  /** Whether there are queries enough, and a cache of the right kind, for matrix cores. */
  static boolean fitsCores(Tensor node, Tuning tuning) {
    Tensor k = node.source(1);
    Tensor v = node.source(2);
    return tuning.matrixCores()
        && node.ne(2) >= FEWEST_FOR_CORES
        && k.type() == DataType.F16
        && v.type() == DataType.F16
        && k.ne(0) == v.ne(0)
        && (k.ne(0) == 64 || k.ne(0) == 128)
        && (k.offset() | k.nb(1) | k.nb(2) | v.offset() | v.nb(1) | v.nb(2)) % 16 == 0;
  }

  /** Parts of the cache that go to subgroups of their own, so that few queries fill the device. */
  private static long splits(Tensor node, Tuning tuning) {
    if (fitsCores(node, tuning)) {
      return 1;
    }
    long subgroups = node.ne(1) * node.ne(2);
    long blocks = Math.max(1, node.source(1).ne(2) / (2L * tuning.lanes()));
    return Math.max(1, Math.min(blocks, Math.min(64, tuning.streams() / Math.max(1, subgroups))));
  }

  static long scratchBytes(Tensor node, Tuning tuning) {
    long splits = splits(node, tuning);
    return splits == 1 ? 0 : 4 * (node.ne(0) + 2) * node.ne(1) * node.ne(2) * splits;
  }

  static String whyNot(Tensor node) {
    for (int i = 1; i <= 2; i++) {
      Tensor cache = node.source(i);
      DataType type = cache.type();
      if (type != DataType.F32 && type != DataType.F16 && type != DataType.BF16) {
        return "a cache of type " + type.label();
      }
      if (type != DataType.F32
          && (cache.ne(0) % 2 != 0 || (cache.nb(1) | cache.nb(2) | cache.offset()) % 4 != 0)) {
        return cache + " has rows that are not aligned to 4 bytes";
      }
      if (cache.nb(0) != type.blockBytes() && cache.ne(0) > 1) {
        return cache + " is strided along axis 0";
      }
    }
    if (node.source(1).type() != node.source(2).type()) {
      return "keys of type "
          + node.source(1).type().label()
          + " with values of type "
          + node.source(2).type().label();
    }
    if (node.ne(1) > 65535 || node.ne(2) > 65535) {
      return "more than 65535 heads or queries";
    }
    return ElementKernels.whyNotRows(node.source(0));
  }

  static void emit(Work work, Tensor node, Attention attention) {
    Tensor q = node.source(0);
    Tensor k = node.source(1);
    Tensor v = node.source(2);
    Place query = work.place(q);
    Place key = work.place(k);
    Place value = work.place(v);
    Place queries = work.place(node.source(3));
    Place cells = work.place(node.source(4));
    Place live = work.place(node.source(5));
    Place sinks = node.sources().size() == 7 ? work.place(node.source(6)) : Place.NONE;
    Place y = work.place(node);
    Tuning tuning = work.tuning();
    long splits = splits(node, tuning);
    Place out = y;
    if (splits > 1) {
      long bytes = scratchBytes(node, tuning);
      out = new Place(work.scratch(bytes).address(), bytes);
    }
    var push = new Push().address(query.address()).address(key.address());
    push.address(value.address()).address(queries.address()).address(cells.address());
    push.address(live.address()).address(sinks.address()).address(out.address());
    boolean cores = fitsCores(node, tuning);
    push.u32(q.ne(1), Math.max(1, q.ne(1) / Math.max(1, k.ne(1))), k.ne(2));
    push.u32(cores ? q.ne(2) : splits);
    push.u32(q.nb(1) / 4, q.nb(2) / 4, k.nb(1), k.nb(2), v.nb(1), v.nb(2));
    push.f32(attention.scale()).f32(attention.softcap()).u32(attention.window());
    if (cores) {
      work.grid(
          "attentioncores-" + k.ne(0),
          new int[] {THREADS_OF_CORES},
          push,
          q.ne(1),
          (q.ne(2) + QUERIES_OF_CORES - 1) / QUERIES_OF_CORES,
          1,
          List.of(query, key, value, queries, cells, live, sinks),
          out);
      return;
    }
    work.grid(
        "attention-" + k.type().label(),
        new int[] {tuning.lanes(), tuning.lanes(), (int) q.ne(0), (int) v.ne(0)},
        push,
        q.ne(1),
        q.ne(2),
        splits,
        List.of(query, key, value, queries, cells, live, sinks),
        out);
    if (splits > 1) {
      var combine = new Push().address(out.address()).address(sinks.address());
      combine.address(y.address()).u32(q.ne(1), q.ne(2), splits, v.ne(0));
      work.groups(
          "attentioncombine",
          new int[] {tuning.lanes()},
          combine,
          q.ne(1) * q.ne(2),
          List.of(out, sinks),
          y);
    }
  }
}
