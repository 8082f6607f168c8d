// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.CommMember;
import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.Storage;
import dev.consort.api.Wire;
import dev.consort.api.WirePolicy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Members in one memory: the last to arrive has the team add all terms in member order and write
 * the sums to everyone. A term that is a product need not be there yet: it is added on to the sum
 * so far block by block, just as one member with all of the weight would add. Who waits is parked
 * in the executor's queue, not in a thread.
 */
final class CpuComm implements Comm {
  private static final long ELEMENTS_AN_ITEM = 4096;

  private final CpuDevice device;
  private final List<Backend> members;
  private final List<Stream> streams;
  private final WirePolicy wire;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment addresses;
  private final MemorySegment steps;
  private final MemorySegment reduce;
  private final boolean[] here;
  private final long[] from;
  private final long[] to;
  private final long[] products;
  private int arrived;
  private int stepCount;
  private long elements;
  private long room;
  private volatile @Nullable ConsortException failure;

  CpuComm(CpuDevice device, List<CpuBackend> members, WirePolicy wire) {
    this.device = device;
    this.members = List.copyOf(members);
    this.streams = members.stream().map(CpuBackend::stream).toList();
    this.wire = wire;
    int count = members.size();
    this.here = new boolean[count];
    this.from = new long[count];
    this.to = new long[count];
    this.products = new long[count];
    this.addresses = arena.allocate(16L * count, 64);
    this.steps = arena.allocate(StepLayout.STEP_BYTES * (count + 1L), 64);
    this.reduce = arena.allocate(StepLayout.STEP_BYTES, 64);
    new Step(StepCode.REDUCE, 0)
        .a(0, addresses.address())
        .a(3, ELEMENTS_AN_ITEM)
        .a(4, count)
        .barrier()
        .write(reduce);
  }

  @Override
  public List<Backend> members() {
    return members;
  }

  @Override
  public WirePolicy wire() {
    return wire;
  }

  @Override
  public boolean records() {
    return true;
  }

  @Override
  public CommMember member(int rank) {
    if (rank < 0 || rank >= members.size()) {
      throw error(
          ErrorCode.INVALID_ARGUMENT,
          "found rank %d, expected 0 to %d".formatted(rank, members.size() - 1));
    }
    return new CpuCommMember(this, rank);
  }

  @Override
  public void allreduce(List<Storage> partials) {
    check();
    if (partials.size() != members.size()) {
      throw error(
          ErrorCode.INVALID_ARGUMENT,
          "found %d partials, expected one for each of %d members"
              .formatted(partials.size(), members.size()));
    }
    long count = partials.getFirst().tensor().shape().elements();
    for (Storage partial : partials) {
      if (partial.tensor().type() != DataType.F32
          || !partial.tensor().isContiguous()
          || partial.tensor().shape().elements() != count) {
        throw error(
            ErrorCode.INVALID_ARGUMENT,
            "found %s, expected %d contiguous F32 elements".formatted(partial.tensor(), count));
      }
    }
    for (int rank = 0; rank < partials.size(); rank++) {
      Storage partial = partials.get(rank);
      long at = CpuBuffer.of(partial.buffer()).address() + partial.offset();
      ((CpuBackend) members.get(rank)).reduce(new CpuCommMember(this, rank), at, count);
    }
  }

  /**
   * A member's stream is here. True if it is the last; the steps are ready to run then.
   *
   * @param from where the member's term is
   * @param product the step that makes the term instead, or 0
   * @param to where the sum goes
   * @param roomBytes what a thread needs of its own for the product
   */
  boolean arrive(int rank, long from, long product, long to, long count, long roomBytes) {
    check();
    if (arrived > 0 && count != elements) {
      throw poison(
          error(
              ErrorCode.INVALID_ARGUMENT,
              "member %d brings %d elements to a collective of %d; every member has to run the same one"
                  .formatted(rank, count, elements)));
    }
    elements = count;
    here[rank] = true;
    this.from[rank] = from;
    this.to[rank] = to;
    products[rank] = product;
    room = Math.max(room, roomBytes);
    arrived++;
    if (arrived < members.size()) {
      return false;
    }
    writeSteps();
    return true;
  }

  /** Products first, each on to the sum of those before; then everything else is added to that. */
  private void writeSteps() {
    stepCount = 0;
    int terms = 0;
    long sum = 0;
    for (int rank = 0; rank < products.length; rank++) {
      if (products[rank] != 0) {
        long step = place(Memory.ALL, products[rank]);
        sum = sum == 0 ? to[rank] : sum;
        steps.set(ValueLayout.JAVA_LONG, step + StepLayout.DST + StepLayout.DATA, sum);
        steps.set(ValueLayout.JAVA_LONG, step + StepLayout.A + 16, stepCount == 1 ? 0 : 1);
        addresses.setAtIndex(ValueLayout.JAVA_LONG, 0, sum);
        terms = 1;
      }
    }
    for (int rank = 0; rank < products.length; rank++) {
      if (products[rank] == 0) {
        addresses.setAtIndex(ValueLayout.JAVA_LONG, terms++, from[rank]);
      }
    }
    for (int rank = 0; rank < products.length; rank++) {
      addresses.setAtIndex(ValueLayout.JAVA_LONG, terms + rank, to[rank]);
    }
    long step = place(reduce, 0);
    long items = (elements + ELEMENTS_AN_ITEM - 1) / ELEMENTS_AN_ITEM;
    steps.set(ValueLayout.JAVA_LONG, step + StepLayout.ITEMS, items);
    steps.set(ValueLayout.JAVA_LONG, step + StepLayout.A + 8, terms);
    steps.set(ValueLayout.JAVA_LONG, step + StepLayout.A + 16, elements);
    steps.set(ValueLayout.JAVA_INT, step + StepLayout.I, wire.wire(elements) == Wire.BF16 ? 1 : 0);
  }

  /** Where in the steps the next one is, a copy of a segment's. */
  private long place(MemorySegment segment, long offset) {
    long at = (long) StepLayout.STEP_BYTES * stepCount++;
    MemorySegment.copy(segment, offset, steps, at, StepLayout.STEP_BYTES);
    return at;
  }

  /** Runs the collective once all members have arrived. */
  void run(Team team, int threads) {
    team.run(steps.address(), stepCount, threads, Math.max(room, 4096));
  }

  void leave() {
    arrived = 0;
    Arrays.fill(here, false);
  }

  List<Stream> streams() {
    return streams;
  }

  /** Whether a member that is not here yet still has work before it. */
  boolean isAwaited() {
    for (int rank = 0; rank < here.length; rank++) {
      if (!here[rank] && device.executor().isWorking(streams.get(rank))) {
        return true;
      }
    }
    return false;
  }

  /** Nobody else came in time: every member has failed, and the missing ones are named. */
  void timeOut(String after) {
    List<String> missing = new ArrayList<>();
    for (int rank = 0; rank < here.length; rank++) {
      if (!here[rank]) {
        missing.add("member " + rank + " (" + streams.get(rank).name() + ")");
      }
    }
    poison(
        error(
            ErrorCode.TIMEOUT,
            "%s did not arrive at a collective within %s; submit the same plan on every member"
                .formatted(String.join(", ", missing), after)));
  }

  /** A member's stream failed: so have all. */
  void memberFailed(Stream stream, ConsortException because) {
    poison(
        ConsortException.of(
                ErrorCode.DEVICE_FAILED,
                "%s failed, and with it the comm: %s"
                    .formatted(stream.name(), because.getMessage()))
            .device(device)
            .operation("all_reduce")
            .cause(because)
            .build());
  }

  private ConsortException poison(ConsortException because) {
    if (failure == null) {
      failure = because;
      device.executor().fail(streams, because);
    }
    return because;
  }

  private void check() {
    ConsortException broken = failure;
    if (broken != null) {
      throw broken;
    }
  }

  private ConsortException error(ErrorCode code, String message) {
    return ConsortException.of(code, message).device(device).operation("all_reduce").build();
  }

  /** After the members' streams are drained or failed. */
  @Override
  public void close() {
    members.forEach(member -> ((CpuBackend) member).leave(this));
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
