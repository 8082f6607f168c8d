// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.DataType;
import dev.consort.api.Operation;
import dev.consort.api.Tensor;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.ToLongFunction;

/**
 * Products of one column whose weights run through rings in shared memory, a ring a warp and a
 * block a multiprocessor. Devices before compute capability 9.0, and rows that leave no room for
 * rings, have the kernels of {@link VectorKernels} and {@link MatrixKernels}.
 */
final class RingKernels {
  private static final String FILE = "ring";
  private static final int MOST_WEIGHTS = 4;

  private static final int WARPS = 16;
  private static final int THREADS = 32 * WARPS;

  /** What a warp takes of two rows at once. */
  private static final long CHUNK_OF_FLOATS = 1024;

  private static final long CHUNK_OF_QUANTS = 2048;

  /** What the kernels declare. */
  private static final long STATIC_SHARED = 4096;

  /** Of a warp: deeper rings take shared memory from the kernels beside and gain nothing. */
  private static final long PLACES = 3;

  private static final long FEWEST_PLACES = 2;
  private static final long BARRIER_BYTES = 8;

  private static final byte[] NO_MEMBERS = new byte[ReduceKernels.STRUCTURE_BYTES];

  private static final Set<DataType> FLOATS = EnumSet.of(DataType.F16, DataType.BF16);

  /** What a block has in shared memory: activations, and places for a chunk of two rows each. */
  private record Room(long xBytes, long placeBytes, long places) {
    private static Room of(Chip chip, List<Tensor> weights) {
      long k = weights.getFirst().ne(0);
      boolean floats = isFloats(weights.getFirst());
      long xBytes = floats ? 4 * k : 64 * ((k + 63) / 64 + 1) + 8 * ((k / 32 + 1) / 2 * 2);
      xBytes = (xBytes + 127) & -128;
      long chunk = Math.min(k, floats ? CHUNK_OF_FLOATS : CHUNK_OF_QUANTS);
      long longest = 0;
      for (Tensor w : weights) {
        longest = Math.max(longest, (w.type().bytes(chunk) + 30) & -16);
      }
      long placeBytes = 2 * longest;
      long free = chip.mostShared() - STATIC_SHARED - xBytes;
      long places = free / WARPS / (placeBytes + BARRIER_BYTES);
      return new Room(xBytes, placeBytes, Math.min(PLACES, places));
    }

    private boolean suffices() {
      return places >= FEWEST_PLACES && placeBytes > 0;
    }

    private int sharedBytes() {
      return (int) (xBytes + WARPS * places * (placeBytes + BARRIER_BYTES));
    }
  }

  private RingKernels() {}

  private static boolean isFloats(Tensor w) {
    return FLOATS.contains(w.type());
  }

  /** No kernel ahead may write a weight, because it is read before they end. */
  private static boolean isKnown(Tensor w) {
    Operation of = w.root().operation();
    boolean fixed = of instanceof Operation.Weight || of instanceof Operation.Input;
    return fixed && (isFloats(w) || VectorKernels.TYPES.contains(w.type()));
  }

  /** Whether the kernel may make the activations too, which costs floats less than a launch. */
  static boolean makes(Tensor product) {
    return isFloats(product.source(0));
  }

  /** Whether a device can take products with the same activations this way. */
  static boolean fits(Chip chip, List<Tensor> products) {
    List<Tensor> weights = products.stream().map(node -> node.source(0)).toList();
    return chip.copies() == Chip.Copies.BULK
        && weights.stream().allMatch(RingKernels::isKnown)
        && Room.of(chip, weights).suffices();
  }

  private static Room room(Work work, List<Tensor> products) {
    return Room.of(work.chip(), products.stream().map(node -> node.source(0)).toList());
  }

  /** Products of several weights with the same activations. */
  static void emit(Work work, List<Tensor> products) {
    var arguments = new Arguments();
    long pairs = pairs(arguments, work, products, products, work::address);
    launch(work, "ring_", products, arguments.bytes(NO_MEMBERS), pairs);
  }

  /** The product that makes the term of a sum over members, and sends it to all of them. */
  static void send(Work work, Tensor sum) {
    List<Tensor> products = List.of(sum.source(0).root());
    var arguments = new Arguments();
    long pairs = pairs(arguments, work, products, products, product -> 0L);
    launch(work, "ring_", products, arguments.bytes(members(sum)), pairs);
  }

  /** {@code Reduce} of comm.cuh. */
  private static byte[] members(Tensor sum) {
    var member = (CudaCommMember) ((Operation.AllReduce) sum.operation()).member();
    return member.comm().sent(member.rank(), sum.shape().elements()).bytes();
  }

  private static byte[] members(List<Tensor> nodes) {
    return Fusion.sent(nodes).map(RingKernels::members).orElse(NO_MEMBERS);
  }

  /** How the kernels are called that take their activations from the members of a comm. */
  private static String summed(List<Tensor> nodes) {
    return Fusion.sent(nodes).isPresent() ? "summed_" : "";
  }

  /** The products of queries, keys and values among nodes, which are turned and stored. */
  static void stored(
      Work work, List<Tensor> nodes, List<Tensor> products, RopeKernel.Stored stored) {
    var arguments = new Arguments();
    long pairs = pairs(arguments, work, nodes, products, product -> 0L);
    stored.add(arguments.bytes(members(nodes)), work, 0, 0, 0);
    launch(work, "ring_stored_" + summed(nodes), products, arguments, pairs);
  }

  /** {@code Ring} of ring.cuh, with pairs of rows; returns how many. */
  private static long pairs(
      Arguments arguments,
      Work work,
      List<Tensor> nodes,
      List<Tensor> products,
      ToLongFunction<Tensor> places) {
    long pairs = 0;
    for (int i = 0; i < MOST_WEIGHTS; i++) {
      boolean is = i < products.size();
      Tensor product = products.get(is ? i : 0);
      long place = places.applyAsLong(product);
      stretch(arguments, work, product, place, 0, 0, is ? pairs : Integer.MAX_VALUE);
      pairs += is ? (product.ne(0) + 1) / 2 : 0;
    }
    Room room = room(work, products);
    Tensor first = products.getFirst();
    long ready = source(arguments, work, nodes, first);
    end(arguments, room, ready, 0, first, products.size(), pairs);
    arguments.integer(0).real(0).real(0).integer(0);
    return pairs;
  }

  /** A gate and what it opens among nodes. */
  static void gated(Work work, List<Tensor> nodes) {
    Tensor glu = nodes.getLast();
    List<Tensor> products = List.of(glu.source(0), glu.source(1));
    Tensor up = glu.source(1).source(0);
    Operation.Glu op = (Operation.Glu) glu.operation();
    var arguments = new Arguments();
    for (int i = 0; i < MOST_WEIGHTS; i++) {
      int first = i == 0 ? 0 : Integer.MAX_VALUE;
      long to = work.address(glu);
      stretch(arguments, work, glu.source(0), to, work.address(up), up.nb(1), first);
    }
    long ready = source(arguments, work, nodes, glu.source(0));
    boolean formed = work.wanted(glu).filter(form -> form == Form.QUANTS).isPresent();
    long form = formed ? work.make(glu, Form.QUANTS) : 0;
    end(arguments, room(work, products), ready, form, glu.source(0), 1, glu.ne(0));
    arguments
        .integer(ElementKernels.GLU + op.kind().ordinal())
        .real(op.alpha())
        .real(op.limit())
        .integer(0)
        .bytes(members(nodes));
    launch(work, "ring_gated_" + summed(nodes), products, arguments, glu.ne(0));
  }

  /** {@code Stretch} of ring.cuh. */
  private static void stretch(
      Arguments arguments,
      Work work,
      Tensor product,
      long result,
      long opened,
      long openedBytes,
      long first) {
    Tensor w = product.source(0);
    arguments
        .word(work.address(w))
        .word(opened)
        .word(result)
        .word(w.nb(1))
        .word(openedBytes)
        .integer(product.ne(0))
        .integer(KernelType.of(w.type()))
        .integer(first)
        .integer(0);
  }

  /** {@code Source} of ring.cuh; returns where activations lie that are ready, or 0. */
  private static long source(Arguments arguments, Work work, List<Tensor> nodes, Tensor product) {
    Tensor x = product.source(1);
    if (!nodes.contains(x)) {
      arguments.word(0).word(0).word(0).word(0).real(0).integer(0);
      return isFloats(product.source(0)) ? work.address(x) : work.form(x, Form.QUANTS);
    }
    Tensor norm = x.source(0);
    Tensor sum = norm.source(0);
    boolean sums = nodes.contains(sum);
    boolean lies = sums && !nodes.contains(sum.source(1));
    arguments
        .word(work.address(sums ? sum.source(0) : sum))
        .word(lies ? work.address(sum.source(1)) : 0)
        .word(sums ? work.addressIfStored(sum) : 0)
        .word(work.address(x.source(1)))
        .real(((Operation.RmsNorm) norm.operation()).eps())
        .integer(0);
    return 0;
  }

  /** What follows the stretches, up to a gate's function. */
  private static void end(
      Arguments arguments,
      Room room,
      long ready,
      long form,
      Tensor product,
      int count,
      long pairs) {
    arguments
        .word(ready)
        .word(form)
        .integer(product.source(0).ne(0))
        .integer(count)
        .integer(pairs)
        .integer(room.places)
        .integer(room.placeBytes)
        .integer(room.xBytes);
  }

  private static void launch(
      Work work, String kernel, List<Tensor> products, Arguments arguments, long units) {
    Room room = room(work, products);
    Tensor w = products.getFirst().source(0);
    String kind = isFloats(w) ? w.type().label() : "quants";
    long blocks = Math.min(work.processors(), units);
    work.grid(FILE, kernel + kind, arguments, THREADS, room.sharedBytes(), blocks, 1, 1);
  }
}
