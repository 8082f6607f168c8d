// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.cuda.driver.CudaError;
import dev.consort.cuda.driver.Launch;
import dev.consort.cuda.driver.Recording;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;

/** Takes the time of a new comm's ways at some sizes, in graphs as plans have them. */
final class CommTrial {
  private static final long SMALLEST = 64 << 10;
  private static final long LARGEST = 16 << 20;
  private static final int STEP = 2;

  /** Bytes that a recording sums up, and the most sums in one. */
  private static final long BYTES = 32 << 20;

  private static final int MOST_SUMS = 12;
  private static final int ROUNDS = 3;

  /** A way is kept for the next size unless another takes so much less time. */
  private static final double CLEARLY = 0.95;

  private final CudaComm comm;
  private final List<Long> places;

  private CommTrial(CudaComm comm, List<Long> places) {
    this.comm = comm;
    this.places = places;
  }

  /** The fastest way for each size; nothing if a member failed or has no memory for it. */
  static Optional<Ways> fastest(CudaComm comm) {
    try (CommMemory memory = new CommMemory(comm, LARGEST)) {
      Ways ways = new CommTrial(comm, memory.places()).fastest();
      return comm.hasFailed() ? Optional.empty() : Optional.of(ways);
    } catch (CudaError e) {
      return Optional.empty();
    }
  }

  /** Ways for larger sums come later in their order. */
  private Ways fastest() {
    List<Ways.Range> ranges = new ArrayList<>();
    Way way = Way.ONE_SHOT_PACKETS;
    for (long bytes = SMALLEST; bytes <= LARGEST; bytes *= STEP) {
      Way best = fastest(bytes, way);
      if (best != way) {
        ranges.add(new Ways.Range(way, bytes / STEP));
      }
      way = best;
    }
    ranges.add(new Ways.Range(way, Long.MAX_VALUE));
    return new Ways(ranges);
  }

  private Way fastest(long bytes, Way from) {
    Way best = from;
    double least = Double.MAX_VALUE;
    for (Way way : EnumSet.range(from, Way.TWO_SHOT_FLAGS)) {
      if (comm.fits(way, bytes / 4)) {
        double nanos = nanos(bytes, way) * (way == from ? CLEARLY : 1);
        if (nanos < least) {
          least = nanos;
          best = way;
        }
      }
    }
    return best;
  }

  /** Of some sums, the same number for every way. */
  private long nanos(long bytes, Way way) {
    int sums = (int) Math.clamp(BYTES / bytes, 2, MOST_SUMS);
    List<Recording> recordings = new ArrayList<>();
    try {
      for (int rank = 0; rank < comm.size(); rank++) {
        comm.backend(rank).device().gpu().bind();
        Launch launch = comm.launch(rank, places.get(rank), bytes / 4, way);
        recordings.add(Recording.of(Collections.nCopies(sums, launch)));
      }
      long least = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS; round++) {
        least = Math.min(least, nanos(recordings));
      }
      return least;
    } finally {
      for (int rank = 0; rank < recordings.size(); rank++) {
        comm.backend(rank).device().gpu().bind();
        recordings.get(rank).close();
      }
    }
  }

  private long nanos(List<Recording> recordings) {
    long start = System.nanoTime();
    for (int rank = 0; rank < recordings.size(); rank++) {
      comm.backend(rank).device().gpu().bind();
      recordings.get(rank).launch(comm.backend(rank).stream());
    }
    for (int rank = 0; rank < recordings.size(); rank++) {
      comm.backend(rank).device().gpu().bind();
      comm.backend(rank).stream().synchronize();
    }
    return System.nanoTime() - start;
  }
}
