// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import dev.consort.tck.reference.Adversary;
import dev.consort.tck.reference.Adversary.Fault;
import dev.consort.tck.reference.Adversary.Site;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import dev.consort.tck.wrap.DelegatingBackend;
import dev.consort.tck.wrap.DelegatingDevice;
import dev.consort.tck.wrap.DelegatingEvent;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What failing and closing leave behind: nothing pending, nothing half done. */
@Timeout(60)
class MetaCloseTest {
  private static final Tensor TENSOR = new GraphBuilder().input("x", DataType.F32, Shape.of(64));

  /** A device that writes down when its stream comes to rest and when its events are closed. */
  private static final class Watched extends DelegatingDevice {
    private final List<String> calls = Collections.synchronizedList(new ArrayList<>());

    Watched(Device delegate) {
      super(delegate);
    }

    @Override
    protected DelegatingBackend wrap(Backend backend) {
      return new DelegatingBackend(this, backend) {
        @Override
        public void synchronize() {
          super.synchronize();
          calls.add("at rest");
        }

        @Override
        public void close() {
          super.close();
          calls.add("at rest");
        }
      };
    }

    @Override
    protected DelegatingEvent wrap(Event event) {
      return new DelegatingEvent(this, event) {
        @Override
        public void close() {
          calls.add("event closed");
          super.close();
        }
      };
    }
  }

  @Test
  void afterAFailureHealthyMembersComeToRestBeforeTheirMemoryIsFreed() {
    Adversary refuses = Adversary.none().inject(Site.SUBMIT, 1, Fault.REFUSED);
    Device failing = new ReferenceDevice(ReferenceOptions.of(0).plugin("a").adversary(refuses));
    Watched healthy = new Watched(new ReferenceDevice(ReferenceOptions.of(0).plugin("b")));
    MetaDevice device = MetaDevice.even(List.of(failing, healthy));
    try (GraphRun run = new GraphRun(device, sum())) {
      run.backend().submit(run.plan());
    }
    assertThat(healthy.calls).contains("event closed");
    assertThat(healthy.calls.indexOf("at rest"))
        .as("%s", healthy.calls)
        .isBetween(0, healthy.calls.indexOf("event closed") - 1);
  }

  @Test
  void aStageThatDoesNotHandOverIsNamed() {
    ReferenceDevice first = new ReferenceDevice(ReferenceOptions.of(0).plugin("first"));
    ReferenceDevice second = new ReferenceDevice(ReferenceOptions.of(3).plugin("second"));
    Failure failure = new Failure();
    Waiting waiting = new Waiting(2, failure, Duration.ofMillis(20));
    try (Allocation memory = second.bufferType().allocate(List.of(TENSOR));
        Submitter from = new Submitter(0, first.createBackend(), failure, waiting);
        Submitter to = new Submitter(1, second.createBackend(), failure, waiting);
        HandOver over = new StagedHandOver(from, to, TENSOR.bytes(), waiting)) {
      ConsortException error =
          catchThrowableOfType(
              ConsortException.class, () -> over.take(to.backend(), memory.storage(TENSOR)));
      assertThat(error.code()).isEqualTo(ErrorCode.TIMEOUT);
      assertThat(error).hasMessageContaining("member first:0#0 to hand over");
    }
  }

  @Test
  void aStageThatIsNotTakenFromIsNamed() {
    ReferenceDevice giver = new ReferenceDevice(0);
    ReferenceDevice taker = new ReferenceDevice(1);
    Failure failure = new Failure();
    Waiting waiting = new Waiting(2, failure, Duration.ofMillis(20));
    try (Allocation memory = giver.bufferType().allocate(List.of(TENSOR));
        Submitter from = new Submitter(0, giver.createBackend(), failure, waiting);
        Submitter to = new Submitter(1, taker.createBackend(), failure, waiting);
        HandOver over = HandOver.between(from, to, TENSOR.bytes(), waiting)) {
      assertThat(over).isInstanceOf(DirectHandOver.class);
      ConsortException error =
          catchThrowableOfType(
              ConsortException.class, () -> over.give(from.backend(), memory.storage(TENSOR)));
      assertThat(error.code()).isEqualTo(ErrorCode.TIMEOUT);
      assertThat(error).hasMessageContaining("#1 to take a micro-batch");
    }
  }

  @Test
  void aMeetingPlaceThatFindsNoMemoryStaysAsItWas() {
    ReferenceDevice one = new ReferenceDevice(0);
    Failure failure = new Failure();
    Waiting waiting = new Waiting(1, failure);
    try (Submitter member = new Submitter(0, one.createBackend(), failure, waiting);
        Rendezvous place = new Rendezvous(new Submitter[] {member}, waiting)) {
      long before = place.result(0).byteSize();
      assertThatThrownBy(() -> place.reserve(Long.MAX_VALUE / 2)).isInstanceOf(Throwable.class);
      place.reserve(2 * before);
      assertThat(place.result(0).byteSize()).isEqualTo(2 * before);
      assertThat(place.given(1, 0).byteSize()).isEqualTo(2 * before);
    }
  }

  @Test
  void aPlanMayBeClosedTwice() {
    MetaDevice device =
        new MetaDevice(
            List.of(new ReferenceDevice(0), new ReferenceDevice(1)),
            new double[] {1, 1},
            Split.LAYER,
            WirePolicy.EXACT);
    try (GraphRun run = new GraphRun(device, twoLayers())) {
      run.plan().close();
    }
  }

  @Test
  void fillingATensorsBufferFillsItsPiecesAndNoOthers() {
    GraphBuilder builder = new GraphBuilder();
    Shard halves = Shard.of(0, new ShardGroup("inner", 64), 1);
    Tensor split = builder.weight("split", DataType.F32, Shape.of(64), halves);
    Tensor other = builder.weight("other", DataType.F32, Shape.of(64));
    MetaDevice device = MetaDevice.even(List.of(new ReferenceDevice(0), new ReferenceDevice(1)));
    try (Arena arena = Arena.ofShared();
        Allocation memory = device.bufferType().allocate(List.of(split, other));
        Backend backend = device.createBackend()) {
      for (Tensor tensor : List.of(split, other)) {
        backend.set(memory.storage(tensor), 0, arena.allocate(256, 64));
      }
      backend.synchronize();
      memory.storage(split).buffer().fill((byte) 7);
      assertThat(read(backend, memory.storage(split), arena)).containsOnly(7);
      assertThat(read(backend, memory.storage(other), arena)).containsOnly(0);
    }
  }

  private static byte[] read(Backend backend, Storage storage, Arena arena) {
    MemorySegment bytes = arena.allocate(storage.tensor().bytes(), 64);
    backend.get(storage, 0, bytes);
    backend.synchronize();
    return bytes.toArray(ValueLayout.JAVA_BYTE);
  }

  private static Graph sum() {
    GraphBuilder builder = new GraphBuilder();
    Shard shard = Shard.of(0, new ShardGroup("inner", 2), 1);
    Tensor w = builder.weight("w", DataType.F32, Shape.of(2, 4), shard);
    Tensor x = builder.input("x", DataType.F32, Shape.of(2, 1));
    builder.output(builder.unary(Operation.Unary.Kind.RELU, builder.matMul(w, x)));
    return builder.build();
  }

  private static Graph twoLayers() {
    GraphBuilder builder = new GraphBuilder();
    Tensor x = builder.input("x", DataType.F32, Shape.of(4, 1));
    builder.layer(0);
    Tensor h = builder.matMul(builder.weight("w0", DataType.F32, Shape.of(4, 4)), x);
    builder.layer(1);
    builder.output(builder.matMul(builder.weight("w1", DataType.F32, Shape.of(4, 4)), h));
    return builder.build();
  }
}
