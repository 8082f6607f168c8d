// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.ProcAddresses;
import dev.consort.api.WirePolicy;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Collectives that stand inside plans. */
class CommTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8})
  void plansOfAllMembersStopAndGoOnTogether(int members) {
    try (CpuDevice device = TestDevices.of("portable", 2)) {
      List<Backend> backends = backends(device, members);
      Comm comm = comm(device, backends);
      List<SmallModel> models = models(comm, backends);
      for (int round = 0; round < 20; round++) {
        for (int rank = 0; rank < members; rank++) {
          backends.get(rank).set(models.get(rank).input, 0, floats(rank + round));
        }
        for (int rank = members - 1; rank >= 0; rank--) {
          backends.get(rank).submit(models.get(rank).plan);
        }
        for (int rank = 0; rank < members; rank++) {
          backends.get(rank).synchronize();
        }
      }
      // With weights of zero every sum is zero, and the input passes by.
      for (int rank = 0; rank < members; rank++) {
        MemorySegment out = MemorySegment.ofArray(new float[64]);
        backends.get(rank).get(models.get(rank).output, 0, out);
        backends.get(rank).synchronize();
        assertThat(out.get(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(rank + 19f);
      }
      models.forEach(SmallModel::close);
      comm.close();
      backends.forEach(Backend::close);
    }
  }

  @Test
  void aMemberThatDoesNotComeIsNamedAndAllFail() {
    try (CpuDevice device = TestDevices.of("portable", 2)) {
      List<Backend> backends = backends(device, 3);
      Comm comm = comm(device, backends);
      List<SmallModel> models = models(comm, backends);

      backends.get(0).submit(models.get(0).plan);
      backends.get(2).submit(models.get(2).plan);

      assertThatThrownBy(() -> backends.get(0).synchronize())
          .isInstanceOf(ConsortException.class)
          .hasMessageContaining("member 1")
          .extracting(e -> ((ConsortException) e).code())
          .isEqualTo(ErrorCode.TIMEOUT);
      assertThatThrownBy(() -> backends.get(2).synchronize()).hasMessageContaining("member 1");
      assertThatThrownBy(() -> backends.get(1).submit(models.get(1).plan))
          .hasMessageContaining("member 1");

      try (Backend other = device.createBackend();
          var model = new SmallModel(other, x -> x, new GraphBuilder())) {
        other.submit(model.plan);
        other.synchronize();
      }
    }
  }

  private static List<Backend> backends(CpuDevice device, int count) {
    List<Backend> backends = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      backends.add(device.createBackend());
    }
    return backends;
  }

  private static Comm comm(CpuDevice device, List<Backend> backends) {
    return device
        .find(ProcAddresses.COMM_INIT)
        .orElseThrow()
        .init(backends, WirePolicy.EXACT)
        .orElseThrow();
  }

  private static List<SmallModel> models(Comm comm, List<Backend> backends) {
    List<SmallModel> models = new ArrayList<>();
    for (int rank = 0; rank < backends.size(); rank++) {
      var member = comm.member(rank);
      var graph = new GraphBuilder();
      models.add(
          new SmallModel(
              backends.get(rank), x -> graph.add(new Operation.AllReduce(member), x), graph));
    }
    return models;
  }

  private static MemorySegment floats(float value) {
    float[] data = new float[64];
    java.util.Arrays.fill(data, value);
    return MemorySegment.ofArray(data);
  }
}
