// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.cuda.driver.CudaError;
import dev.consort.cuda.driver.Gpu;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;

/** Adds up random numbers over a new comm, in each of its ways, and compares the bits. */
final class CommCheck {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

  private CommCheck() {}

  static boolean passes(CudaComm comm) {
    return passes(comm, 1031) && passes(comm, 100_003);
  }

  private static boolean passes(CudaComm comm, int count) {
    Random random = new Random(count);
    float[][] terms = new float[comm.size()][count];
    float[] sums = new float[count];
    for (int rank = 0; rank < terms.length; rank++) {
      for (int i = 0; i < count; i++) {
        terms[rank][i] = random.nextFloat() - 0.5f;
        sums[i] = rank == 0 ? terms[rank][i] : sums[i] + terms[rank][i];
      }
    }
    try (CommMemory memory = new CommMemory(comm, 4L * count)) {
      for (Way way : Way.values()) {
        if (comm.fits(way, count) && !passes(comm, memory.places(), terms, sums, way)) {
          return false;
        }
      }
      return !comm.hasFailed();
    } catch (CudaError e) {
      return false;
    }
  }

  private static boolean passes(
      CudaComm comm, List<Long> places, float[][] terms, float[] sums, Way way) {
    for (int rank = 0; rank < terms.length; rank++) {
      comm.backend(rank).device().gpu().bind();
      send(comm.backend(rank), terms[rank], places.get(rank));
    }
    comm.enqueue(places, sums.length, way);
    for (int rank = 0; rank < terms.length; rank++) {
      if (!holds(comm.backend(rank), places.get(rank), sums)) {
        return false;
      }
    }
    return true;
  }

  private static void send(CudaBackend member, float[] values, long to) {
    long bytes = 4L * values.length;
    Staging.Block block = member.device().staging().forWrite(bytes);
    MemorySegment.copy(values, 0, block.segment(), FLOAT, 0, values.length);
    Gpu.copy(to, block.address(), bytes, member.stream());
    block.sent(member.stream());
  }

  private static boolean holds(CudaBackend member, long from, float[] expected) {
    long bytes = 4L * expected.length;
    member.device().gpu().bind();
    Staging.Block block = member.device().staging().forRead(bytes);
    Gpu.copy(block.address(), from, bytes, member.stream());
    block.sent(member.stream());
    member.stream().synchronize();
    for (int i = 0; i < expected.length; i++) {
      int bits = Float.floatToRawIntBits(block.segment().getAtIndex(FLOAT, i));
      if (bits != Float.floatToRawIntBits(expected[i])) {
        return false;
      }
    }
    return true;
  }
}
