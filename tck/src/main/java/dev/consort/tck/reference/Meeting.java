// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Wire;
import dev.consort.api.WirePolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the members of a comm meet. A member's n-th coming belongs to round n. Who waits too long
 * fails the comm and every member's device.
 */
final class Meeting {
  private static final float NAN = Float.intBitsToFloat(0x7fc00000);

  private static final class Round {
    final float[] @Nullable [] terms;
    int present;
    int left;
    float @Nullable [] sum;

    Round(int members) {
      terms = new float[members][];
      left = members;
    }
  }

  private final List<ReferenceBackend> members;
  private final WirePolicy wire;
  private final int[] comings;
  private final Map<Integer, Round> rounds = new HashMap<>();
  private final Duration patience;
  private @Nullable ConsortException failure;

  Meeting(List<ReferenceBackend> members, WirePolicy wire) {
    this.members = members;
    this.wire = wire;
    this.comings = new int[members.size()];
    this.patience =
        members.stream()
            .map(member -> ((ReferenceDevice) member.device()).options().patience())
            .min(Duration::compareTo)
            .orElseThrow();
  }

  /** Blocks until every member has come, and gives the sum. */
  synchronized float[] join(int rank, float[] term) throws InterruptedException {
    int number = comings[rank]++;
    Round round = rounds.computeIfAbsent(number, n -> new Round(members.size()));
    round.terms[rank] = term;
    round.present++;
    if (round.present == members.size()) {
      round.sum = sum(round.terms);
      notifyAll();
    }
    long deadline = System.nanoTime() + patience.toNanos();
    while (round.sum == null && failure == null) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        fail(missing(round), null);
      } else {
        wait(left / 1_000_000 + 1);
      }
    }
    if (failure != null) {
      throw failure;
    }
    if (--round.left == 0) {
      rounds.remove(number);
    }
    return round.sum;
  }

  /** Nobody meets here any more; every member's device has failed. */
  synchronized void fail(String message, @Nullable Throwable cause) {
    if (failure != null) {
      return;
    }
    ConsortException.Builder builder =
        ConsortException.of(ErrorCode.DEVICE_FAILED, "allreduce failed: " + message);
    failure = cause == null ? builder.build() : builder.cause(cause).build();
    for (ReferenceBackend member : members) {
      ((ReferenceDevice) member.device()).poison().fail("allreduce", message, failure);
    }
    notifyAll();
  }

  private String missing(Round round) {
    List<String> absent = new ArrayList<>();
    for (int rank = 0; rank < members.size(); rank++) {
      if (round.terms[rank] == null) {
        absent.add("%d (%s)".formatted(rank, members.get(rank).device().info().id()));
      }
    }
    return "member %s did not arrive within %s".formatted(String.join(", ", absent), patience);
  }

  private float[] sum(float[][] terms) {
    float[] sum = new float[terms[0].length];
    boolean rounded = wire.wire(sum.length) == Wire.BF16;
    for (int i = 0; i < sum.length; i++) {
      float total = rounded ? Bf16.round(terms[0][i]) : terms[0][i];
      for (int rank = 1; rank < terms.length; rank++) {
        total += rounded ? Bf16.round(terms[rank][i]) : terms[rank][i];
      }
      float travelled = rounded ? Bf16.round(total) : total;
      sum[i] = Float.isNaN(travelled) ? NAN : travelled;
    }
    return sum;
  }
}
