// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import static org.assertj.core.api.Assertions.assertThatCode;

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
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Plans that are launched for the first time while the members that have them already wait for the
 * others.
 */
class FirstLaunchTest {
  private static final int PLANS = 80;
  private static final int SUMS = 130;
  private static final int WIDTH = 4096;

  private final List<Allocation> places = new ArrayList<>();
  private final List<Plan> plans = new ArrayList<>();

  private Plan plan(Backend member, Comm comm, int rank, int rows) {
    GraphBuilder builder = new GraphBuilder();
    Tensor x = builder.input("x", DataType.F32, Shape.of(WIDTH, rows));
    for (int i = 0; i < SUMS; i++) {
      x = builder.add(new Operation.AllReduce(comm.member(rank)), builder.scale(x, 0.5f));
    }
    builder.output(x);
    var graph = builder.build();
    Schedule schedule = member.schedule(graph);
    List<Tensor> tensors = new ArrayList<>(graph.leaves());
    tensors.addAll(schedule.stored(graph));
    Allocation place = member.device().bufferType().allocate(tensors);
    places.add(place);
    Plan plan = member.compile(graph, schedule, place);
    plans.add(plan);
    return plan;
  }

  @Test
  void a_first_launch_waits_for_nobody() {
    List<Device> devices = TestDevices.withTimeout(Duration.ofSeconds(5), 2);
    List<Backend> members = devices.stream().map(Device::createBackend).toList();
    var init = devices.getFirst().find(ProcAddresses.COMM_INIT).orElseThrow();
    try (Comm comm = init.init(members, WirePolicy.EXACT).orElseThrow()) {
      assertThatCode(
              () -> {
                for (int i = 0; i < PLANS; i++) {
                  List<Plan> made = new ArrayList<>();
                  for (int rank = 0; rank < members.size(); rank++) {
                    made.add(plan(members.get(rank), comm, rank, 1 << i % 8));
                  }
                  for (int rank = 0; rank < members.size(); rank++) {
                    members.get(rank).submit(made.get(rank));
                  }
                }
                members.forEach(Backend::synchronize);
              })
          .doesNotThrowAnyException();
    } finally {
      plans.forEach(Plan::close);
      members.forEach(Backend::close);
      places.forEach(Allocation::close);
    }
  }
}
