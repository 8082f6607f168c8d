// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.CommMember;
import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.Operation;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.api.Wire;
import dev.consort.api.WirePolicy;
import dev.consort.cuda.driver.CudaError;
import dev.consort.cuda.driver.DeviceBlock;
import dev.consort.cuda.driver.HostBlock;
import dev.consort.cuda.driver.Launch;
import dev.consort.cuda.driver.Modules;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * GPUs that write into each other's memory. Kernels on all members wait for each other, never
 * longer than the limit; a word of host memory a member says whom it waited for in vain, and
 * another word ends all waits.
 */
final class CudaComm implements Comm {
  static final int MOST_MEMBERS = 8;

  private static final long WORD = 64;

  private final List<CudaBackend> backends;
  private final WirePolicy wire;
  private final ReduceKernels kernels;
  private final Duration limit;
  private final List<DeviceBlock> inboxes = new ArrayList<>();
  private final HostBlock words;
  private final MemorySegment flags;
  private final ReduceKernels.Meeting meeting;
  private volatile @Nullable ConsortException failure;
  private boolean closed;

  private CudaComm(List<CudaBackend> backends, WirePolicy wire) {
    this.backends = List.copyOf(backends);
    this.wire = wire;
    this.limit = backends.getFirst().device().settings().collectiveTimeout();
    int processors = Integer.MAX_VALUE;
    var clusters = ReduceKernels.Clusters.EVERYWHERE;
    for (CudaBackend backend : backends) {
      processors = Math.min(processors, backend.device().gpu().processors());
      if (!backend.device().gpu().modules().overlap()) {
        clusters = ReduceKernels.Clusters.NOT_EVERYWHERE;
      }
    }
    Optional<Ways> pinned = backends.getFirst().device().settings().ways();
    this.kernels =
        new ReduceKernels(
            backends.size(), processors, clusters, pinned.orElse(Ways.usual(backends.size())));
    backends.getFirst().device().gpu().bind();
    this.words = new HostBlock(WORD * (1 + backends.size()));
    this.flags = words.segment().fill((byte) 0);
    List<Long> errors = new ArrayList<>();
    for (int rank = 0; rank < backends.size(); rank++) {
      errors.add(words.address() + WORD * (1 + rank));
    }
    this.meeting =
        new ReduceKernels.Meeting(inboxes, words.address(), errors, Math.max(1, limit.toNanos()));
  }

  /** The devices reach each other's memory. */
  static CudaComm open(List<CudaBackend> backends, WirePolicy wire) {
    CudaComm comm = new CudaComm(backends, wire);
    for (CudaBackend backend : backends) {
      CudaDevice device = backend.device();
      try {
        device.gpu().bind();
        DeviceBlock inbox = new DeviceBlock(comm.kernels.bytes());
        comm.inboxes.add(inbox);
        device.fill(inbox, (byte) 0);
      } catch (CudaError e) {
        comm.close();
        throw device.translate("comm_init", "a comm of " + backends.size() + " members", e);
      }
    }
    backends.forEach(backend -> backend.join(comm));
    return comm;
  }

  @Override
  public List<Backend> members() {
    return List.copyOf(backends);
  }

  int size() {
    return backends.size();
  }

  CudaBackend backend(int rank) {
    return backends.get(rank);
  }

  /** Which way sums of which size go. */
  Ways ways() {
    return kernels.ways();
  }

  String names() {
    return backends.stream().map(b -> b.device().info().id()).collect(Collectors.joining(", "));
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
    if (rank < 0 || rank >= backends.size()) {
      throw error(
          ErrorCode.INVALID_ARGUMENT,
          "found rank %d, expected 0 to %d".formatted(rank, backends.size() - 1));
    }
    return new CudaCommMember(this, rank);
  }

  /** What a member's plan launches for one sum. */
  List<Launch> launches(int rank, long from, long to, long count) {
    var term = new ReduceKernels.Term(from, to, count, wire.wire(count));
    return kernels.launches(modules(rank), meeting, rank, term);
  }

  private Modules modules(int rank) {
    return backends.get(rank).device().gpu().modules();
  }

  /** Whether the node is a sum so small that its kernel can go on with addition and norm. */
  static boolean reducesWithNorm(Tensor node) {
    return node.operation() instanceof Operation.AllReduce op
        && op.member() instanceof CudaCommMember member
        && node.source(0).isContiguous()
        && node.source(0).offset() % 16 == 0
        && member.comm().kernels.takesNorm(node);
  }

  /**
   * Whether a sum that {@link #reducesWithNorm} can be of terms that products send: F32 on the
   * wire.
   */
  static boolean takesSent(Tensor node) {
    return node.operation() instanceof Operation.AllReduce op
        && op.member() instanceof CudaCommMember member
        && member.comm().wire.wire(node.shape().elements()) == Wire.F32;
  }

  /** Adds the launch of a sum, of what is added to it, and of the norm of that. */
  void reduceNorm(
      Work work, int rank, Tensor term, ReduceKernels.Sender sender, ElementKernels.Norm after) {
    long count = term.shape().elements();
    long from = sender == ReduceKernels.Sender.SUM ? work.address(term) : 0;
    var own = new ReduceKernels.Term(from, 0, count, wire.wire(count));
    kernels.reduceNorm(work, meeting, rank, own, sender, after);
  }

  /** What the product that makes a term and sends it is given, and the one that takes the sum. */
  Arguments sent(int rank, long count) {
    var term = new ReduceKernels.Term(0, 0, count, Wire.F32);
    return kernels.arguments(meeting, rank, term, ReduceKernels.Sender.PRODUCT);
  }

  /** Whether there is room for so many F32 elements on that way. */
  boolean fits(Way way, long count) {
    return kernels.fits(way, 4 * count);
  }

  /** One member's launch of a sum in place, as F32 on that way. */
  Launch launch(int rank, long place, long count, Way way) {
    var term = new ReduceKernels.Term(place, place, count, Wire.F32);
    return kernels.launch(modules(rank), meeting, rank, term, way);
  }

  /** Decides which way sums go from now on. */
  void choose(Ways ways) {
    kernels.choose(ways);
  }

  @Override
  public void allreduce(List<Storage> partials) {
    if (closed) {
      throw error(ErrorCode.CLOSED, "the comm was closed");
    }
    check();
    if (partials.size() != backends.size()) {
      throw error(
          ErrorCode.INVALID_ARGUMENT,
          "found %d partials, expected one for each of %d members"
              .formatted(partials.size(), backends.size()));
    }
    long count = partials.getFirst().tensor().shape().elements();
    List<Long> places = new ArrayList<>();
    for (int rank = 0; rank < partials.size(); rank++) {
      Storage partial = partials.get(rank);
      if (partial.tensor().type() != DataType.F32
          || !partial.tensor().isContiguous()
          || partial.tensor().shape().elements() != count) {
        throw error(
            ErrorCode.INVALID_ARGUMENT,
            "found %s, expected %d contiguous F32 elements".formatted(partial.tensor(), count));
      }
      places.add(backends.get(rank).range("all_reduce", partial, 0, partial.tensor().bytes()));
    }
    enqueue(rank -> launches(rank, places.get(rank), places.get(rank), count));
  }

  /** A sum in place, as F32 on that way. */
  void enqueue(List<Long> places, long count, Way way) {
    enqueue(rank -> List.of(launch(rank, places.get(rank), count, way)));
  }

  /** Everything is prepared before the first member starts to wait for the others. */
  private void enqueue(IntFunction<List<Launch>> launches) {
    List<List<Launch>> all = new ArrayList<>();
    for (int rank = 0; rank < backends.size(); rank++) {
      backends.get(rank).device().gpu().bind();
      all.add(launches.apply(rank));
    }
    for (int rank = 0; rank < backends.size(); rank++) {
      CudaBackend backend = backends.get(rank);
      try {
        backend.device().gpu().bind();
        all.get(rank).forEach(launch -> launch.enqueue(backend.stream()));
      } catch (CudaError e) {
        throw backend.device().fail("all_reduce", e);
      }
    }
  }

  boolean hasFailed() {
    return failure() != null;
  }

  /** Throws if a member failed or was waited for in vain; reads a word of each member. */
  void check() {
    throwIfAny(failure());
  }

  /** Throws if a failure was seen before, by {@link #check} or otherwise; costs nothing. */
  void checkSeen() {
    throwIfAny(failure);
  }

  private static void throwIfAny(@Nullable ConsortException broken) {
    if (broken != null) {
      throw new ConsortException(broken.code(), String.valueOf(broken.getMessage()), broken);
    }
  }

  private @Nullable ConsortException failure() {
    if (failure == null) {
      for (int rank = 0; rank < backends.size(); rank++) {
        int word = flags.get(ValueLayout.JAVA_INT, WORD * (1 + rank));
        if (word != 0) {
          fail(late(rank, word - 1));
          break;
        }
      }
    }
    return failure;
  }

  private ConsortException late(int waiter, int missing) {
    return ConsortException.of(
            ErrorCode.TIMEOUT,
            "member %d (%s) did not arrive at a collective within %s; submit the same plan on every member"
                .formatted(missing, backends.get(missing).device().info().id(), limit))
        .device(backends.get(waiter).device())
        .operation("all_reduce")
        .build();
  }

  /** A member's device failed: so has the comm. */
  void memberFailed(CudaDevice device, ConsortException because) {
    fail(
        ConsortException.of(
                ErrorCode.DEVICE_FAILED,
                "%s failed, and with it the comm of %s: %s"
                    .formatted(device.info().id(), names(), because.getMessage()))
            .device(device)
            .operation("all_reduce")
            .cause(because)
            .build());
  }

  private synchronized void fail(ConsortException because) {
    if (failure == null) {
      failure = because;
      flags.set(ValueLayout.JAVA_INT, 0, 1);
    }
  }

  private ConsortException error(ErrorCode code, String message) {
    return ConsortException.of(code, message)
        .device(backends.getFirst().device())
        .operation("all_reduce")
        .build();
  }

  /** After the members' streams are drained or failed. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    backends.forEach(backend -> backend.leave(this));
    for (int rank = 0; rank < inboxes.size(); rank++) {
      CudaDevice device = backends.get(rank).device();
      if (!device.poison().isPoisoned()) {
        try {
          device.gpu().bind();
          inboxes.get(rank).close();
        } catch (CudaError e) {
          device.fail("close", e);
        }
      }
    }
    if (backends.stream().noneMatch(backend -> backend.device().poison().isPoisoned())) {
      words.close();
    }
  }
}
