// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Plan;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Sums over distinct GPUs, of every size at which another way is taken, and members that fail. */
class CommTest {
  private static List<Backend> backends(List<Device> devices) {
    return devices.stream().map(Device::createBackend).toList();
  }

  private static Comm comm(List<Backend> members, WirePolicy wire) {
    return members
        .getFirst()
        .device()
        .find(ProcAddresses.COMM_INIT)
        .orElseThrow()
        .init(members, wire)
        .orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({
    "1, false",
    "5, false",
    "4096, false",
    "131072, false",
    "131073, false",
    "1000003, false",
    "9000001, false",
    "5, true",
    "4096, true",
    "131073, true",
    "1000003, true"
  })
  void all_members_hold_the_same_bits(int count, boolean brief) {
    requireSums(TestDevices.atLeast(2), count, brief);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void every_way_gives_these_bits_over_any_number_of_members(Way way) {
    List<Device> devices = TestDevices.with("reduce", way.label(), 2);
    for (int members = 2; members <= devices.size(); members++) {
      for (int count : new int[] {1, 7, 4096, 100_003, 262_147, 5_000_011}) {
        requireSums(devices.subList(0, members), count, false);
        requireSums(devices.subList(0, members), count, true);
      }
    }
  }

  /** Members wait for each other, and ask the host meanwhile; none may miss what it waits for. */
  @ParameterizedTest
  @EnumSource(Way.class)
  void members_that_come_at_any_time_meet_again_and_again(Way way) {
    List<Device> devices = TestDevices.with("reduce", way.label(), 2);
    List<Backend> members = backends(devices);
    List<Allocation> places = new ArrayList<>();
    List<Plan> plans = new ArrayList<>();
    Random random = new Random(1);
    try (Comm comm = comm(members, WirePolicy.EXACT)) {
      for (int rank = 0; rank < members.size(); rank++) {
        GraphBuilder builder = new GraphBuilder();
        Tensor x = builder.input("x", DataType.F32, Shape.of(1 << 18));
        for (int i = 0; i < 12; i++) {
          x = builder.add(new Operation.AllReduce(comm.member(rank)), x);
        }
        builder.output(x);
        var graph = builder.build();
        Backend member = members.get(rank);
        Schedule schedule = member.schedule(graph);
        List<Tensor> tensors = new ArrayList<>(graph.leaves());
        tensors.addAll(schedule.stored(graph));
        places.add(member.device().bufferType().allocate(tensors));
        plans.add(member.compile(graph, schedule, places.get(rank)));
      }
      for (int round = 0; round < 1000; round++) {
        for (int i = 0; i < members.size(); i++) {
          int rank = (round + i) % members.size();
          members.get(rank).submit(plans.get(rank));
          LockSupport.parkNanos(random.nextInt(300_000));
        }
        members.forEach(Backend::synchronize);
      }
    } finally {
      plans.forEach(Plan::close);
      members.forEach(Backend::close);
      places.forEach(Allocation::close);
    }
  }

  private static void requireSums(List<Device> devices, int count, boolean brief) {
    List<Backend> members = backends(devices);
    WirePolicy wire = brief ? new WirePolicy(0) : WirePolicy.EXACT;
    Random random = new Random(count);
    float[] sums = new float[count];
    try (Comm comm = comm(members, wire);
        Arena arena = Arena.ofConfined()) {
      List<Allocation> places = new ArrayList<>();
      List<Storage> partials = new ArrayList<>();
      for (int rank = 0; rank < members.size(); rank++) {
        Tensor tensor = new GraphBuilder().input("x", DataType.F32, Shape.of(count));
        Allocation place = members.get(rank).device().bufferType().allocate(List.of(tensor));
        places.add(place);
        partials.add(place.storage(tensor));
        MemorySegment term = arena.allocate(4L * count, 64);
        for (int i = 0; i < count; i++) {
          float value = random.nextFloat() - 0.5f;
          term.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
          float rounded = brief ? rounded(value) : value;
          sums[i] = rank == 0 ? rounded : sums[i] + rounded;
        }
        members.get(rank).set(partials.get(rank), 0, term);
      }
      comm.allreduce(partials);
      for (int rank = 0; rank < members.size(); rank++) {
        MemorySegment found = arena.allocate(4L * count, 64);
        members.get(rank).get(partials.get(rank), 0, found);
        members.get(rank).synchronize();
        for (int i = 0; i < count; i++) {
          float expected = brief ? rounded(sums[i]) : sums[i];
          if (found.getAtIndex(ValueLayout.JAVA_FLOAT, i) != expected) {
            assertThat(found.getAtIndex(ValueLayout.JAVA_FLOAT, i))
                .as("element %d of %d on member %d of %d", i, count, rank, members.size())
                .isEqualTo(expected);
          }
        }
      }
      places.forEach(Allocation::close);
    } finally {
      members.forEach(Backend::close);
    }
  }

  /** To BF16, to nearest even. */
  private static float rounded(float value) {
    int bits = Float.floatToRawIntBits(value);
    int up = 0x7fff + (bits >> 16 & 1);
    return Float.intBitsToFloat(bits + up & 0xffff0000);
  }

  @Test
  void a_member_that_does_not_arrive_is_named_and_its_device_goes_on() {
    List<Device> devices = TestDevices.withTimeout(Duration.ofSeconds(1), 2).subList(0, 2);
    List<Backend> members = backends(devices);
    List<Allocation> places = new ArrayList<>();
    List<Plan> plans = new ArrayList<>();
    try (Comm comm = comm(members, WirePolicy.EXACT)) {
      for (int rank = 0; rank < members.size(); rank++) {
        GraphBuilder builder = new GraphBuilder();
        Tensor x = builder.input("x", DataType.F32, Shape.of(64));
        Tensor sum = builder.add(new Operation.AllReduce(comm.member(rank)), builder.scale(x, 2));
        builder.output(sum);
        var graph = builder.build();
        Backend member = members.get(rank);
        Schedule schedule = member.schedule(graph);
        List<Tensor> tensors = new ArrayList<>(graph.leaves());
        tensors.addAll(schedule.stored(graph));
        Allocation place = member.device().bufferType().allocate(tensors);
        places.add(place);
        plans.add(member.compile(graph, schedule, place));
      }
      members.getFirst().submit(plans.getFirst());
      assertThatThrownBy(members.getFirst()::synchronize)
          .hasMessageContaining("member 1")
          .hasMessageContaining("did not arrive");
      assertThatThrownBy(() -> members.get(1).submit(plans.get(1)))
          .hasMessageContaining("member 1");
      try (Backend other = devices.getFirst().createBackend()) {
        other.synchronize();
      }
    } finally {
      plans.forEach(Plan::close);
      members.forEach(Backend::close);
      places.forEach(Allocation::close);
    }
  }

  @Test
  void streams_that_share_a_gpu_do_not_wait_for_each_other_on_it() {
    Device device = TestDevices.atLeast(1).getFirst();
    List<Backend> members = backends(List.of(device, device));
    var init = device.find(ProcAddresses.COMM_INIT).orElseThrow();
    assertThat(init.init(members, WirePolicy.EXACT)).isEmpty();
    members.forEach(Backend::close);
  }
}
