// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.DataType;
import dev.consort.api.Operation.Attention;
import dev.consort.api.Tensor;

/**
 * Attention over a cache. The grid covers heads, queries and splits of the live cells; how many are
 * live is read on the device, so that one plan serves every step.
 */
final class AttentionKernels {
  private static final String FILE = "attention";
  private static final String HEADS_FILE = "heads";
  private static final int THREADS = 128;
  private static final int MOST_SPLITS = 64;
  private static final int CELLS_A_SPLIT = 64;
  private static final int BLOCKS_A_PROCESSOR = 4;
  private static final int FEWEST_FOR_TILES = 16;

  /** A cache so short has nothing to split, so that tiles pay earlier. */
  private static final int SHORT_CACHE = 1024;

  private static final int FEWEST_FOR_SHORT = 7;
  private static final int QUERIES_A_TILE = 64;
  private static final int LARGEST_HEAD = 512;

  /** Of kernels that take the heads which share keys and values; see heads.cu. */
  private static final int HEADS_AT_ONCE = 8;

  private static final int HEADS_THREADS = 256;
  private static final int MOST_SPLITS_OF_HEADS = 128;
  private static final int CELLS_OF_HEADS = 256;
  private static final int HEADS_BLOCKS_A_PROCESSOR = 1;

  /** Blocks that share a result count themselves. */
  static final int COUNTERS = 16384;

  private AttentionKernels() {}

  /** Whether there are queries enough, and a cache of the right kind, for tensor cores. */
  private static boolean fitsTiles(Tensor node) {
    Tensor q = node.source(0);
    Tensor k = node.source(1);
    Tensor v = node.source(2);
    long fewest = k.ne(2) <= SHORT_CACHE ? FEWEST_FOR_SHORT : FEWEST_FOR_TILES;
    return node.ne(2) >= fewest && isWide(q, k, v);
  }

  private static boolean isWide(Tensor q, Tensor k, Tensor v) {
    return (q.offset() | q.nb(1) | q.nb(2)) % 8 == 0
        && k.type() == DataType.F16
        && v.type() == DataType.F16
        && k.ne(0) == v.ne(0)
        && (k.ne(0) == 64 || k.ne(0) == 128)
        && (k.offset() | k.nb(1) | k.nb(2) | v.offset() | v.nb(1) | v.nb(2)) % 16 == 0;
  }

  /**
   * Whether a block can take several heads that share keys and values. What says which cells are
   * seen is read before kernels ahead end.
   */
  private static boolean fitsHeads(Tensor node) {
    return !fitsTiles(node)
        && isWide(node.source(0), node.source(1), node.source(2))
        && node.sources().subList(3, 6).stream().allMatch(Tensor::isLeaf)
        && node.ne(2) * groups(node) <= COUNTERS;
  }

  /** Blocks for a query and a split of the cells. */
  private static long groups(Tensor node) {
    long shared = node.ne(1) / node.source(1).ne(1);
    return node.source(1).ne(1) * ((shared + HEADS_AT_ONCE - 1) / HEADS_AT_ONCE);
  }

  private static long splits(Tensor node, int processors) {
    if (fitsTiles(node)) {
      return 1;
    }
    boolean fits = fitsHeads(node);
    long blocks = Math.max(1, (fits ? groups(node) : node.ne(1)) * node.ne(2));
    long atOnce = (long) processors * (fits ? HEADS_BLOCKS_A_PROCESSOR : BLOCKS_A_PROCESSOR);
    long most = fits ? MOST_SPLITS_OF_HEADS : MOST_SPLITS;
    long cells = fits ? CELLS_OF_HEADS : CELLS_A_SPLIT;
    return Math.max(1, Math.min(atOnce / blocks, Math.min(most, node.source(1).ne(2) / cells)));
  }

  static long scratchBytes(Tensor node, int processors) {
    long splits = splits(node, processors);
    return splits == 1 ? 0 : 4 * (node.ne(0) + 2) * node.ne(1) * node.ne(2) * splits;
  }

  static String whyNot(Tensor node) {
    for (int i = 1; i <= 2; i++) {
      Tensor cache = node.source(i);
      if (!KernelType.isFloating(cache.type())) {
        return "a cache of type " + cache.type().label();
      }
      if (cache.nb(0) != cache.type().blockBytes()) {
        return "gaps along axis 0 of " + cache;
      }
      if (cache.ne(0) > LARGEST_HEAD) {
        return "heads of more than 512 elements";
      }
    }
    if (node.source(0).nb(0) != 4) {
      return "gaps along axis 0 of " + node.source(0);
    }
    return node.ne(2) > CudaKernels.MOST_BLOCKS ? "more than 65535 queries" : "";
  }

  static void emit(Work work, Tensor node, Attention attention) {
    Tensor k = node.source(1);
    Tensor v = node.source(2);
    Tensor queries = node.source(3);
    Tensor cells = node.source(4);
    long splits = splits(node, work.processors());
    boolean sinks = node.sources().size() == 7;
    long parts = splits == 1 ? 0 : work.parts();
    var arguments =
        new Arguments()
            .tensor(work.address(node.source(0)), node.source(0))
            .tensor(work.address(k), k)
            .tensor(work.address(v), v)
            .word(work.address(node))
            .word(parts)
            .word(work.address(queries))
            .word(work.address(cells))
            .word(work.address(node.source(5)))
            .word(sinks ? work.address(node.source(6)) : 0)
            .word(queries.nb(1))
            .word(cells.nb(1))
            .integer(queries.nb(0))
            .integer(cells.nb(0))
            .real(attention.scale())
            .real(attention.softcap())
            .integer(attention.window())
            .integer(splits)
            .integer(KernelType.of(k.type()))
            .integer(KernelType.of(v.type()));
    if (fitsHeads(node)) {
      boolean formed = work.wanted(node).filter(form -> form == Form.QUANTS).isPresent();
      arguments
          .align(Long.BYTES)
          .word(work.counters())
          .word(formed ? work.make(node, Form.QUANTS) : 0);
      String kernel = "attention_heads_" + k.ne(0);
      work.grid(HEADS_FILE, kernel, arguments, HEADS_THREADS, groups(node), node.ne(2), splits);
      return;
    }
    arguments.align(Long.BYTES).word(0).word(0);
    if (fitsTiles(node)) {
      long tiles = (node.ne(2) + QUERIES_A_TILE - 1) / QUERIES_A_TILE;
      String kernel = "attention_tiles_" + k.ne(0);
      work.grid(FILE, kernel, arguments, THREADS, node.ne(1), tiles, 1);
      return;
    }
    long widest = Math.max(k.ne(0), v.ne(0));
    String kernel =
        widest <= 128 ? "attention_128" : widest <= 256 ? "attention_256" : "attention_512";
    work.grid(FILE, kernel, arguments, THREADS, node.ne(1), node.ne(2), splits);
    if (splits > 1) {
      work.grid(FILE, "attention_join", arguments, THREADS, node.ne(1), node.ne(2), 1);
    }
  }
}
