// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.host.Closing;
import dev.consort.tck.reference.Adversary;
import dev.consort.tck.reference.Adversary.Fault;
import dev.consort.tck.reference.Adversary.Site;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import dev.consort.tck.trace.HappensBeforeChecker;
import dev.consort.tck.trace.Trace;
import dev.consort.tck.trace.TracingDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sums of many chunks: the same bytes on all, in order by the contract, and never without end. */
@Timeout(60)
class SumPipelineTest {
  private static final int CHUNK = (int) SumPipeline.CHUNK / 4;
  private static final int[] SIZES = {CHUNK + 1, 3 * CHUNK + 5, 100, 4 * CHUNK, 2 * CHUNK - 1};

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5, 8})
  void everyMemberHoldsTheSumInMemberOrder(int members) throws Exception {
    Trace trace = new Trace();
    List<Device> devices = new ArrayList<>();
    for (int m = 0; m < members; m++) {
      Adversary adversary = Adversary.seeded(m).maxDelay(Duration.ofNanos(50_000));
      ReferenceOptions options = ReferenceOptions.of(m).plugin("make" + m);
      devices.add(new TracingDevice(new ReferenceDevice(options.adversary(adversary)), trace));
    }
    boolean[] gives = new boolean[members];
    Arrays.fill(gives, true);
    gives[members - 1] = members == 2;
    try (Meetings meetings = new Meetings(devices, gives)) {
      meetings.all(Meeter::meetAll);
      for (int size = 0; size < SIZES.length; size++) {
        float[] expected = meetings.expected(size);
        for (int m = 0; m < members; m++) {
          int differing = Arrays.mismatch(meetings.held(m, size), expected);
          assertThat(differing).as("size %d, member %d, element", size, m).isEqualTo(-1);
        }
      }
    }
    assertThat(HappensBeforeChecker.check(trace)).isEmpty();
  }

  @Test
  void aMemberThatStaysAwayIsNamedToThoseWhoWait() throws Exception {
    List<Device> devices =
        List.of(device("here", Adversary.none()), device("away", Adversary.none()));
    try (Meetings meetings = new Meetings(devices, new boolean[] {true, true})) {
      Meeter only = meetings.members.getFirst();
      assertThatThrownBy(only::meetAll)
          .isInstanceOf(ConsortException.class)
          .hasMessageContaining("away:0#1");
    }
  }

  @Test
  void aMemberThatFailsBetweenChunksEndsTheWaitOfTheOthers() throws Exception {
    Adversary failing = Adversary.none().inject(Site.GET, 3, Fault.DEVICE_LOST);
    List<Device> devices = List.of(device("good", Adversary.none()), device("lost", failing));
    try (Meetings meetings = new Meetings(devices, new boolean[] {true, true})) {
      assertThatThrownBy(() -> meetings.all(Meeter::meetAll)).hasMessageContaining("lost:0");
    } catch (ConsortException e) {
      assertThat(e).hasMessageContaining("lost:0");
    }
  }

  private static Device device(String plugin, Adversary adversary) {
    ReferenceOptions options = ReferenceOptions.of(0).plugin(plugin);
    return new ReferenceDevice(options.patience(Duration.ofSeconds(1)).adversary(adversary));
  }

  /** A member with a term and a place for the sum of each size. */
  private static final class Meeter {
    private final int index;
    private final Submitter submitter;
    private final Failure failure;
    private final Rendezvous place;
    private final boolean[] gives;
    private final Allocation allocation;
    private final List<Tensor> terms = new ArrayList<>();
    private final List<Tensor> sums = new ArrayList<>();
    private final List<float[]> values = new ArrayList<>();
    private final Arena arena;

    Meeter(
        int index,
        Submitter submitter,
        Failure failure,
        Rendezvous place,
        boolean[] gives,
        Arena arena) {
      this.index = index;
      this.submitter = submitter;
      this.failure = failure;
      this.place = place;
      this.gives = gives;
      this.arena = arena;
      GraphBuilder leaves = new GraphBuilder();
      for (int size : SIZES) {
        terms.add(leaves.input("term" + size, DataType.F32, Shape.of(size)));
        sums.add(leaves.input("sum" + size, DataType.F32, Shape.of(size)));
      }
      List<Tensor> all = new ArrayList<>(terms);
      all.addAll(sums);
      allocation = submitter.backend().device().bufferType().allocate(all);
      Random random = new Random(index);
      for (int size = 0; size < SIZES.length; size++) {
        float[] own = new float[SIZES[size]];
        for (int i = 0; i < own.length; i++) {
          own[i] = (float) random.nextGaussian() * (i % 7 == 0 ? 1e6f : 1);
        }
        values.add(own);
      }
    }

    /** Twice each, so that slots are used again whatever the number of chunks. */
    void meetAll() {
      Backend backend = submitter.backend();
      try {
        for (int size = 0; size < 2 * SIZES.length; size++) {
          int which = size % SIZES.length;
          Storage term = allocation.storage(terms.get(which));
          Storage sum = allocation.storage(sums.get(which));
          MemorySegment own = arena.allocate(4L * SIZES[which], 64);
          backend.set(term, 0, own.copyFrom(MemorySegment.ofArray(values.get(which))));
          var purpose = purpose(which);
          long bytes = 4L * SIZES[which];
          Rendezvous.Views views;
          synchronized (place) {
            views = place.prepare(index, purpose, bytes, bytes);
          }
          place.meet(index, backend, purpose, term, sum, views);
        }
        backend.synchronize();
      } catch (RuntimeException e) {
        failure.set(submitter.name(), e);
        throw e;
      }
    }

    private Purpose.Reduce purpose(int size) {
      return new Purpose.Reduce(
          new MemberProgram.Meet(
              0,
              ExchangeKind.REDUCE,
              MemberProgram.Meet.ANYONE,
              -1,
              terms.get(size),
              sums.get(size),
              sums.get(size),
              SplitState.PARTIAL),
          gives);
    }
  }

  private static final class Meetings implements AutoCloseable {
    private final List<Meeter> members = new ArrayList<>();
    private final List<AutoCloseable> open = new ArrayList<>();
    private final boolean[] gives;
    private final Arena arena = Arena.ofShared();

    Meetings(List<Device> devices, boolean[] gives) {
      this.gives = gives;
      Failure failure = new Failure();
      Waiting waiting = new Waiting(devices.size(), failure, Duration.ofSeconds(2));
      Submitter[] submitters = new Submitter[devices.size()];
      for (int m = 0; m < submitters.length; m++) {
        submitters[m] = new Submitter(m, devices.get(m).createBackend(), failure, waiting);
        open.add(submitters[m]);
      }
      Rendezvous place = new Rendezvous(submitters, waiting);
      open.add(place);
      for (int m = 0; m < submitters.length; m++) {
        members.add(new Meeter(m, submitters[m], failure, place, gives, arena));
        open.add(members.get(m).allocation);
      }
      open.add(arena::close);
    }

    /** Each member on a thread of its own. */
    void all(Consumer<Meeter> what) throws Exception {
      try (ExecutorService threads = Executors.newFixedThreadPool(members.size())) {
        List<Future<?>> running = new ArrayList<>();
        members.forEach(member -> running.add(threads.submit(() -> what.accept(member))));
        for (Future<?> one : running) {
          try {
            one.get();
          } catch (ExecutionException e) {
            throw (Exception) e.getCause();
          }
        }
      }
    }

    float[] expected(int size) {
      float[] total = new float[SIZES[size]];
      boolean first = true;
      for (Meeter member : members) {
        for (int i = 0; gives[member.index] && i < total.length; i++) {
          float term = member.values.get(size)[i];
          total[i] = first ? term : total[i] + term;
        }
        first = first && !gives[member.index];
      }
      return total;
    }

    float[] held(int member, int size) {
      Meeter meeter = members.get(member);
      MemorySegment bytes = arena.allocate(4L * SIZES[size], 64);
      Storage sum = meeter.allocation.storage(meeter.sums.get(size));
      meeter.submitter.backend().get(sum, 0, bytes);
      meeter.submitter.backend().synchronize();
      return bytes.toArray(ValueLayout.JAVA_FLOAT);
    }

    @Override
    public void close() {
      Closing.all(open);
    }
  }
}
