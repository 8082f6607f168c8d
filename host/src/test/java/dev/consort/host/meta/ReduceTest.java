// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import dev.consort.host.Consort;
import dev.consort.tck.reference.Adversary;
import dev.consort.tck.reference.Adversary.Fault;
import dev.consort.tck.reference.Adversary.Site;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import dev.consort.tck.wrap.DelegatingComm;
import dev.consort.tck.wrap.DelegatingDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** After a reduce all members hold the same bytes, whatever they are; a failure is everybody's. */
@Timeout(60)
class ReduceTest {
  private static final int TURNS = 12;

  /** Members that hold terms of a sum, which each then keeps. */
  private record Sum(Graph graph, Tensor terms, Tensor sum) {
    static Sum of(int members, int elements) {
      var builder = new GraphBuilder();
      Shard shard = Shard.of(1, new ShardGroup("members", members), 1);
      Shape shape = Shape.of(elements, members);
      Tensor owned =
          builder.add(
              "owned", new Operation.Input(DataType.F32, shape, Optional.of(shard)), List.of());
      // Minus the sum, since a sum that starts from zero is never -0.
      Tensor sum = builder.unary(Operation.Unary.Kind.NEG, builder.sum(owned, 1));
      builder.output(sum);
      return new Sum(builder.build(), owned, sum);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 7, 8})
  void allMembersEndWithTheSameBytes(int members) {
    for (String makes : List.of("a", "ab", "abc")) {
      for (int elements : new int[] {1, 33, 20_000}) {
        List<Device> devices = new ArrayList<>();
        for (int m = 0; m < members; m++) {
          String make = "" + makes.charAt(m % makes.length());
          Adversary adversary = elements > 33 ? Adversary.none() : Adversary.seeded(m);
          devices.add(
              new ReferenceDevice(
                  ReferenceOptions.of(m)
                      .plugin(make)
                      .adversary(adversary.maxDelay(Duration.ofNanos(20_000)))));
        }
        MetaDevice meta = MetaDevice.even(devices);
        sumsAreTheSame(meta, elements, makes + elements);
      }
    }
  }

  @Test
  void aCommThatCannotRecordIsCalledBetweenThePieces() {
    for (int elements : new int[] {1, 33, 20_000}) {
      AtomicInteger calls = new AtomicInteger();
      List<Device> devices = new ArrayList<>();
      for (int m = 0; m < 3; m++) {
        Adversary adversary = Adversary.seeded(m).maxDelay(Duration.ofNanos(20_000));
        devices.add(
            new Unrecording(
                new ReferenceDevice(ReferenceOptions.of(m).adversary(adversary)), calls));
      }
      sumsAreTheSame(MetaDevice.even(devices), elements, "called" + elements);
      assertThat(calls.get()).isEqualTo(elements > 33 ? 2 : TURNS);
    }
  }

  /** A device whose comm reduces when it is asked to, but not within plans. */
  private static final class Unrecording extends DelegatingDevice {
    private final AtomicInteger calls;

    Unrecording(Device delegate, AtomicInteger calls) {
      super(delegate);
      this.calls = calls;
    }

    @Override
    protected Comm wrap(Comm comm, List<Backend> members) {
      return new DelegatingComm(comm, members) {
        @Override
        public boolean records() {
          return false;
        }

        @Override
        public void allreduce(List<Storage> partials) {
          calls.incrementAndGet();
          super.allreduce(partials);
        }
      };
    }
  }

  @Test
  void membersOfRealPluginsEndWithTheSameBytes() {
    try (Consort host = Consort.open()) {
      boolean vulkan =
          host.devices().stream().anyMatch(device -> device.info().name().contains("llvmpipe"));
      for (String names :
          vulkan ? List.of("cpu:0*3", "cpu:0*2,vulkan:llvmpipe*2") : List.of("cpu:0*3")) {
        sumsAreTheSame(MetaDevice.even(host.select(names)), 33, names);
        sumsAreTheSame(MetaDevice.even(host.select(names)), 20_000, names);
        sumsAreTheSame(MetaDevice.even(host.select(names)), 300_000, names);
      }
    }
  }

  private static void sumsAreTheSame(MetaDevice meta, int elements, String what) {
    int members = meta.members().size();
    Sum sum = Sum.of(members, elements);
    Random random = new Random(elements);
    try (GraphRun run = new GraphRun(meta, sum.graph());
        Arena arena = Arena.ofShared()) {
      for (int turn = 0; turn < (elements > 33 ? 2 : TURNS); turn++) {
        float[] terms = new float[elements * members];
        for (int i = 0; i < terms.length; i++) {
          terms[i] = anything(random);
        }
        MemorySegment host = arena.allocate(4L * terms.length, 64);
        host.copyFrom(MemorySegment.ofArray(terms));
        run.backend().set(run.allocation().storage(sum.terms()), 0, host);
        run.backend().submit(run.plan());
        run.backend().synchronize();
        List<int[]> held = held(run, sum.sum(), arena);
        for (int m = 1; m < members; m++) {
          assertThat(held.get(m))
              .as("%s, turn %d, member %d", what, turn, m)
              .isEqualTo(held.get(0));
        }
        assertThat(held.get(0))
            .as("%s, turn %d", what, turn)
            .isEqualTo(expected(terms, elements, meta));
      }
    }
  }

  /** In member order; makes with a comm of their own add up their members first. */
  private static int[] expected(float[] terms, int elements, MetaDevice meta) {
    List<String> makes = new ArrayList<>();
    for (Device device : meta.members()) {
      boolean alone = device.find(ProcAddresses.COMM_INIT).isEmpty();
      makes.add(device.info().plugin() + (alone ? makes.size() : ""));
    }
    List<String> groups = makes.stream().distinct().toList();
    int[] bits = new int[elements];
    for (int i = 0; i < elements; i++) {
      float total = 0;
      boolean first = true;
      for (String group : groups) {
        float own = 0;
        boolean firstOwn = true;
        for (int m = 0; m < makes.size(); m++) {
          if (makes.get(m).equals(group)) {
            float term = -(0 + terms[m * elements + i]);
            own = firstOwn ? term : own + term;
            firstOwn = false;
          }
        }
        total = first ? own : total + own;
        first = false;
      }
      bits[i] = Float.floatToIntBits(total);
    }
    return bits;
  }

  private static float anything(Random random) {
    return switch (random.nextInt(12)) {
      case 0 -> Float.NaN;
      case 1 -> Float.intBitsToFloat(0xffc12345);
      case 2 -> Float.POSITIVE_INFINITY;
      case 3 -> Float.NEGATIVE_INFINITY;
      case 4, 5 -> -0.0f;
      case 6 -> 3e38f;
      default -> (float) random.nextGaussian() * (random.nextInt(5) == 0 ? 1e-3f : 1);
    };
  }

  /** The bits of a tensor's piece on every member. */
  static List<int[]> held(GraphRun run, Tensor tensor, Arena arena) {
    Storage whole = run.allocation().storage(tensor);
    TensorParts parts = ((MetaBuffer) whole.buffer()).parts(whole);
    List<int[]> held = new ArrayList<>();
    for (int m = 0; m < parts.storages().length; m++) {
      Storage part = parts.storages()[m];
      MemorySegment bytes = arena.allocate(part.tensor().bytes(), 64);
      var member = ((MetaBackend) run.backend()).submitter(m).backend();
      member.get(part, 0, bytes);
      member.synchronize();
      held.add(bytes.toArray(ValueLayout.JAVA_INT));
    }
    return held;
  }

  @Test
  void aMemberWithoutASliceAddsNothing() {
    Sum sum = Sum.of(2, 5);
    List<Device> devices = List.of(device("a", 0), device("b", 0), device("a", 1));
    MetaDevice meta =
        new MetaDevice(devices, new double[] {1, 1e-9, 1}, Split.TENSOR, WirePolicy.EXACT);
    byte[] ones = new byte[40];
    for (int i = 0; i < 10; i++) {
      MemorySegment.ofArray(ones).setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, 1);
    }
    Map<String, byte[]> leaves = Map.of("owned", ones);
    byte[] found = GraphRun.once(meta, sum.graph(), leaves).get(sum.sum().name());
    assertThat(MemorySegment.ofArray(found).getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, 4))
        .isEqualTo(-2f);
  }

  @ParameterizedTest
  @CsvSource({
    "SUBMIT,REFUSED,1", "SUBMIT,DEVICE_LOST,1", "SUBMIT,DEVICE_LOST,3", "GET,DEVICE_LOST,2",
    "GET,REFUSED,1", "RECORD,REFUSED,2", "SET,DEVICE_LOST,2", "SUBMIT,NEVER_DONE,1"
  })
  void aMemberThatFailsFailsAllAndIsNamed(Site site, Fault fault, int nth) {
    boolean soon = Waiting.LIMIT.compareTo(Duration.ofSeconds(20)) < 0;
    assumeTrue(fault != Fault.NEVER_DONE || soon, "consort.timeout is long");
    Adversary failing = Adversary.none().inject(site, nth, fault);
    ReferenceOptions options = ReferenceOptions.of(9).patience(Duration.ofSeconds(1));
    Device lost = new ReferenceDevice(options.plugin("b").adversary(failing));
    MetaDevice meta = MetaDevice.even(List.of(device("a", 0), lost, device("c", 0)));
    Sum sum = Sum.of(3, 8);
    MetaBackend backend;
    long start = System.nanoTime();
    byte[] zeros = new byte[4 * 24];
    GraphRun run = new GraphRun(meta, sum.graph());
    try {
      ConsortException error =
          catchThrowableOfType(
              ConsortException.class,
              () -> {
                for (int turn = 0; turn < 5; turn++) {
                  run.run(Map.of("owned", zeros));
                }
              });
      assertThat(error).as("an error").isNotNull();
      assertThat(error.getMessage()).contains("b:9");
      backend = (MetaBackend) run.backend();
      ConsortException again =
          catchThrowableOfType(ConsortException.class, () -> backend.submit(run.plan()));
      assertThat(again).as("nothing goes on after a failure").isNotNull();
    } finally {
      try {
        run.close();
      } catch (ConsortException e) {
        assertThat(e.getMessage()).contains("b:9");
      }
    }
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
  }

  private static Device device(String make, int index) {
    return new ReferenceDevice(
        ReferenceOptions.of(index).plugin(make).patience(Duration.ofSeconds(1)));
  }
}
