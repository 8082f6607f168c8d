// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Tensor;
import dev.consort.api.Wire;
import dev.consort.cuda.driver.DeviceBlock;
import dev.consort.cuda.driver.Launch;
import dev.consort.cuda.driver.Modules;
import java.util.ArrayList;
import java.util.List;

/**
 * The launches of a sum over members, and the memory that they send through. Which {@link Way} is
 * taken depends on the size of the sum alone, once the comm is made.
 */
final class ReduceKernels {
  private static final String FILE = "comm";

  /** {@code Reduce} of comm.cuh. */
  static final int STRUCTURE_BYTES = 3 * 8 * CudaComm.MOST_MEMBERS + 8 * 8 + 4 * 4;

  /** Packets of 16 bytes that there is room for, from each sender. */
  private static final long PACKET_SLOTS = 128 << 10;

  /** What is reduced at once at most, in bytes on the wire; more goes piece after piece. */
  private static final long PIECE_BYTES = 64 << 20;

  /** {@code State} of comm.cuh. */
  private static final long STATE_BYTES = 256 + 2 * 8 * 256 * 8;

  private static final int MOST_BLOCKS = 256;

  private static final int WARP = 32;

  /** Blocks with flags that a multiprocessor runs at once. */
  private static final int BLOCKS_AT_ONCE = 2;

  /**
   * The fewest and the most threads of a block that has a part of a row; a thread has 16 elements.
   */
  private static final int FEWEST_NORM_THREADS = 256;

  private static final int MOST_NORM_THREADS = 256;

  /** Blocks that have a row together, where devices have clusters. */
  private static final int MOST_IN_CLUSTER = 8;

  private static final int MOST_ROWS = 16;
  private static final long MOST_WITH_NORM = 512 << 10;

  /** Which members have clusters of blocks. */
  enum Clusters {
    EVERYWHERE,
    NOT_EVERYWHERE
  }

  /** Which kernel sends a term: that of the sum, or already the product that makes it. */
  enum Sender {
    SUM,
    PRODUCT
  }

  private final int members;
  private final int mostInCluster;
  private final int blocks;
  private final long inboxBytes;
  private Ways ways;

  /**
   * @param processors the fewest multiprocessors that a member has
   */
  ReduceKernels(int members, int processors, Clusters clusters, Ways ways) {
    this.members = members;
    this.mostInCluster = clusters == Clusters.EVERYWHERE ? MOST_IN_CLUSTER : 1;
    this.blocks = Math.min(MOST_BLOCKS, BLOCKS_AT_ONCE * processors);
    this.inboxBytes = 2 * PIECE_BYTES + 256L * members;
    this.ways = ways;
  }

  Ways ways() {
    return ways;
  }

  /** Decides which way later sums go. */
  void choose(Ways chosen) {
    ways = chosen;
  }

  /** Bytes of a member's memory that the others write into; starts as zeros. */
  long bytes() {
    return STATE_BYTES + 2L * members * 16 * PACKET_SLOTS + 2 * inboxBytes;
  }

  /**
   * @param calledOff address of the word by which the host ends all waits
   * @param errors addresses of the word for each member's error
   */
  record Meeting(List<DeviceBlock> inboxes, long calledOff, List<Long> errors, long limitNanos) {}

  /** What a member brings, as F32, and where the sum goes. */
  record Term(long from, long to, long count, Wire wire) {
    /** On the wire. */
    long bytes() {
      return count * (wire == Wire.BF16 ? 2 : 4);
    }

    private Term piece(long at, long most) {
      return new Term(from + 4 * at, to + 4 * at, Math.min(most, count - at), wire);
    }

    private String kernel(String way) {
      return way + (wire == Wire.BF16 ? "_bf16" : "_f32");
    }
  }

  /** One member's launches. */
  List<Launch> launches(Modules modules, Meeting meeting, int rank, Term term) {
    List<Launch> launches = new ArrayList<>();
    long most = PIECE_BYTES / (term.wire == Wire.BF16 ? 2 : 4);
    for (long at = 0; at == 0 || at < term.count; at += most) {
      Term piece = term.piece(at, most);
      Way way = ways.of(piece.bytes());
      Way taken = fits(way, piece.bytes()) ? way : Way.TWO_SHOT_FLAGS;
      launches.add(launch(modules, meeting, rank, piece, taken));
    }
    return launches;
  }

  /** Whether there is room for so many bytes on that way. */
  boolean fits(Way way, long bytes) {
    long fromEach = way.isOneShot() ? bytes : tiles(bytes, members);
    long room = way.hasPackets() ? 8 * PACKET_SLOTS : inboxBytes / members - 64;
    return fromEach + 16 <= (way.isOneShot() ? room : room / 2);
  }

  /** Whether the sum is small, and its rows fit into the threads of a block. */
  boolean takesNorm(Tensor node) {
    return 4 * node.shape().elements() * (members - 1) <= MOST_WITH_NORM
        && node.ne(0) <= 16L * MOST_NORM_THREADS * mostInCluster
        && node.shape().rows() <= MOST_ROWS;
  }

  void reduceNorm(
      Work work, Meeting meeting, int rank, Term term, Sender sender, ElementKernels.Norm after) {
    Arguments arguments = arguments(meeting, rank, term, sender);
    after.add(arguments, work);
    Modules modules = work.modules();
    int rows = Math.toIntExact(after.x().shape().rows());
    long quarters = after.x().ne(0) / 4;
    int cluster = cluster(quarters);
    long each = tiles(tiles(quarters, cluster), WARP) * WARP;
    work.add(
        List.of(
            new Launch(
                modules.function(FILE, term.kernel("one_shot_norm")),
                rows * cluster,
                1,
                1,
                (int) Math.min(each, MOST_NORM_THREADS),
                0,
                arguments.bytes(),
                start(modules),
                cluster)));
  }

  /** Blocks for a row of so many times four elements: a power of two. */
  private int cluster(long quarters) {
    long blocks = Math.clamp(quarters / FEWEST_NORM_THREADS, 1, mostInCluster);
    return (int) Long.highestOneBit(blocks);
  }

  private static Launch.Start start(Modules modules) {
    return modules.overlap() ? Launch.Start.DURING_PREVIOUS : Launch.Start.AFTER_PREVIOUS;
  }

  /** One member's launch of a sum that {@link #fits} the way. */
  Launch launch(Modules modules, Meeting meeting, int rank, Term term, Way way) {
    long units = Math.max(1, tiles(term.bytes(), way.hasPackets() ? 8 : 16));
    long grid = tiles(way.isOneShot() ? units : tiles(units, members), way.threads());
    return new Launch(
        modules.function(FILE, term.kernel(way.kernel())),
        (int) (way.hasPackets() ? grid : Math.min(grid, blocks)),
        1,
        1,
        way.threads(),
        0,
        arguments(meeting, rank, term, Sender.SUM).bytes(),
        start(modules));
  }

  /** {@code Reduce} of comm.cuh, of {@link #STRUCTURE_BYTES}. */
  Arguments arguments(Meeting meeting, int rank, Term term, Sender sender) {
    var arguments = new Arguments();
    long packets = STATE_BYTES;
    long inboxes = packets + 2L * members * 16 * PACKET_SLOTS;
    for (long part : new long[] {0, packets, inboxes}) {
      for (int m = 0; m < CudaComm.MOST_MEMBERS; m++) {
        arguments.word(m < members ? meeting.inboxes.get(m).address() + part : 0);
      }
    }
    return arguments
        .word(term.from)
        .word(term.to)
        .word(meeting.calledOff)
        .word(meeting.errors.get(rank))
        .word(term.count)
        .word(meeting.limitNanos)
        .word(PACKET_SLOTS)
        .word(inboxBytes)
        .integer(members)
        .integer(rank)
        .integer(sender.ordinal())
        .integer(0);
  }

  private static long tiles(long count, long tile) {
    return (count + tile - 1) / tile;
  }
}
