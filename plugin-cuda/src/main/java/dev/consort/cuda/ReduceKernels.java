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
 * The launches of a sum over members, and the memory that they send through. Small sums go one
 * shot: everybody sends all to everybody. Larger ones go two shots: everybody owns a slice. Which
 * one is taken depends on size and members alone, and the sums are the same bits.
 */
final class ReduceKernels {
  private static final String FILE = "comm";

  /** What a member sends at most in one shot, in bytes of F32. */
  private static final long ONE_SHOT_BYTES = 512 << 10;

  /** What is reduced at once at most, in bytes of F32; more goes piece after piece. */
  private static final long PIECE_BYTES = 16 << 20;

  /** {@code State} of comm.cu. */
  private static final long STATE_BYTES = 256 + 2 * 8 * 256 * 4;

  private static final int MOST_BLOCKS = 256;

  /** What the threads of a block keep. */
  private static final int LONGEST_ROW = 1024 * 4 * 4;

  private static final int MOST_ROWS = 16;
  private static final int ONE_SHOT_THREADS = 256;
  private static final int TWO_SHOT_THREADS = 512;

  private final int members;
  private final int blocks;
  private final long packetSlots;
  private final long sliceBytes;

  /**
   * @param processors the fewest multiprocessors that a member has
   */
  ReduceKernels(int members, int processors) {
    this.members = members;
    this.blocks = Math.min(MOST_BLOCKS, 2 * processors);
    this.packetSlots = Math.max(1, ONE_SHOT_BYTES / Math.max(1, members - 1) / 8) + 1;
    this.sliceBytes = 16 * (PIECE_BYTES / 16 / members + 1);
  }

  /** Bytes of a member's memory that the others write into; starts as zeros. */
  long inboxBytes() {
    return STATE_BYTES + 2L * members * 16 * packetSlots + 4L * members * sliceBytes;
  }

  /**
   * @param calledOff address of the word by which the host ends all waits
   * @param errors addresses of the word for each member's error
   */
  record Meeting(List<DeviceBlock> inboxes, long calledOff, List<Long> errors, long limitNanos) {}

  /** One member's launches. */
  List<Launch> launches(
      Modules modules, Meeting meeting, int rank, long from, long to, long count, Wire wire) {
    List<Launch> launches = new ArrayList<>();
    long at = 0;
    do {
      long piece = Math.min(PIECE_BYTES / 4, count - at);
      launches.add(launch(modules, meeting, rank, from + 4 * at, to + 4 * at, piece, wire));
      at += piece;
    } while (at < count);
    return launches;
  }

  /** Whether the sum goes one shot, and its rows fit into the threads of a block. */
  boolean takesNorm(Tensor node) {
    return isSmall(node.shape().elements())
        && node.ne(0) <= LONGEST_ROW
        && node.shape().rows() <= MOST_ROWS;
  }

  void reduceNorm(
      Work work,
      Meeting meeting,
      int rank,
      long from,
      long count,
      Wire wire,
      ElementKernels.Norm after) {
    Arguments arguments = arguments(meeting, rank, from, 0, count);
    after.add(arguments, work);
    String kernel = wire == Wire.BF16 ? "one_shot_norm_bf16" : "one_shot_norm_f32";
    work.grid(FILE, kernel, arguments, after.threads(), after.x().shape().rows(), 1, 1);
  }

  private boolean isSmall(long count) {
    return 4 * count * (members - 1) <= ONE_SHOT_BYTES;
  }

  private Launch launch(
      Modules modules, Meeting meeting, int rank, long from, long to, long count, Wire wire) {
    boolean oneShot = isSmall(count);
    int perPacket = wire == Wire.BF16 ? 4 : 2;
    long units = oneShot ? tiles(count, perPacket) : tiles(tiles(count, 2 * perPacket), members);
    int threads = oneShot ? ONE_SHOT_THREADS : TWO_SHOT_THREADS;
    long grid = Math.max(1, tiles(units, threads));
    String kernel = (oneShot ? "one_shot_" : "two_shot_") + (wire == Wire.BF16 ? "bf16" : "f32");
    return new Launch(
        modules.function(FILE, kernel),
        (int) (oneShot ? grid : Math.min(grid, blocks)),
        1,
        1,
        threads,
        0,
        arguments(meeting, rank, from, to, count).bytes(),
        modules.overlap() ? Launch.Start.DURING_PREVIOUS : Launch.Start.AFTER_PREVIOUS);
  }

  private Arguments arguments(Meeting meeting, int rank, long from, long to, long count) {
    var arguments = new Arguments();
    long packets = STATE_BYTES;
    long slices = packets + 2L * members * 16 * packetSlots;
    for (long part : new long[] {0, packets, slices}) {
      for (int m = 0; m < CudaComm.MOST_MEMBERS; m++) {
        arguments.word(m < members ? meeting.inboxes.get(m).address() + part : 0);
      }
    }
    return arguments
        .word(from)
        .word(to)
        .word(meeting.calledOff)
        .word(meeting.errors.get(rank))
        .word(count)
        .word(meeting.limitNanos)
        .word(packetSlots)
        .word(sliceBytes)
        .integer(members)
        .integer(rank);
  }

  private static long tiles(long count, long tile) {
    return (count + tile - 1) / tile;
  }
}
