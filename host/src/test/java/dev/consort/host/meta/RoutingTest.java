// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import dev.consort.host.Consort;
import dev.consort.tck.reference.ReferenceDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Members of different makes route near ties to the same experts. */
class RoutingTest {
  private static final int TOKENS = 64;
  private static final int EXPERTS = 32;

  @Test
  void allMembersChooseTheSameExperts() {
    try (Consort host = Consort.open()) {
      List<Device> members = new ArrayList<>(host.select("cpu:0"));
      members.add(new ReferenceDevice(0));
      host.devices().stream()
          .filter(device -> device.info().plugin().equals("vulkan"))
          .forEach(members::add);
      var builder = new GraphBuilder();
      Tensor x = builder.input("x", DataType.F32, Shape.of(64, TOKENS));
      Tensor router = builder.weight("router", DataType.F16, Shape.of(64, EXPERTS));
      Tensor probabilities = builder.softMax(builder.matMul(router, x));
      Tensor ids = builder.output(builder.add(new Operation.TopK(4), probabilities));
      Graph graph = builder.build();
      try (GraphRun run = new GraphRun(MetaDevice.even(members), graph);
          Arena arena = Arena.ofShared()) {
        // Rows of the router are almost equal, so that rounding decides.
        MemorySegment weights = arena.allocate(router.bytes(), 64);
        MemorySegment tokens = arena.allocate(x.bytes(), 64);
        Random random = new Random(1);
        for (long i = 0; i < 64 * EXPERTS; i++) {
          weights.setAtIndex(
              ValueLayout.JAVA_SHORT,
              i,
              Float.floatToFloat16(i % 64 < 62 ? (i % 64) / 64f : random.nextInt(9) * 6e-8f));
        }
        for (long i = 0; i < 64 * TOKENS; i++) {
          tokens.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
        }
        run.backend().set(run.allocation().storage(router), 0, weights);
        run.backend().set(run.allocation().storage(x), 0, tokens);
        run.backend().submit(run.plan());
        run.backend().synchronize();
        List<int[]> chosen = ReduceTest.held(run, ids, arena);
        for (int m = 1; m < members.size(); m++) {
          assertThat(chosen.get(m)).as(members.get(m).info().id()).isEqualTo(chosen.get(0));
        }
        assertThat(chosen.get(0)).isNotEqualTo(new int[4 * TOKENS]);
      }
    }
  }
}
