// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.wrap.HidingDevice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Sums that travel as BF16 through the host, or through a comm, are rounded as declared. */
class WireTest {
  private static final float TERM = 1 + 0x1p-7f + 0x1p-10f;

  @Test
  void everyTermIsRoundedToBf16AndSoIsTheSum() {
    float rounded = 1 + 0x1p-7f;
    assertThat(sum(new WirePolicy(0), true)).isEqualTo(2 * rounded);
  }

  @Test
  void messagesBelowTheBoundTravelAsF32() {
    assertThat(sum(new WirePolicy(1000), true)).isEqualTo(2 * TERM);
    assertThat(sum(WirePolicy.EXACT, true)).isEqualTo(2 * TERM);
  }

  @Test
  void aCommGivesTheSameBytesAsTheHost() {
    assertThat(sum(new WirePolicy(0), false)).isEqualTo(sum(new WirePolicy(0), true));
  }

  /** The sum of two members' terms, each {@code TERM}. */
  private static float sum(WirePolicy wire, boolean throughTheHost) {
    GraphBuilder builder = new GraphBuilder();
    Shard shard = Shard.of(0, new ShardGroup("inner", 2), 1);
    Tensor w = builder.weight("w", DataType.F32, Shape.of(2, 1), shard);
    Tensor x = builder.input("x", DataType.F32, Shape.of(2, 1));
    Tensor y = builder.output(builder.matMul(w, x));
    Graph graph = builder.build();
    List<Device> members =
        Stream.of(new ReferenceDevice(0), new ReferenceDevice(1))
            .<Device>map(
                device ->
                    throughTheHost ? new HidingDevice(device, ProcAddresses.COMM_INIT) : device)
            .toList();
    MetaDevice meta = new MetaDevice(members, new double[] {1, 1}, Split.TENSOR, wire);
    Map<String, byte[]> data = Map.of("w", floats(TERM, TERM), "x", floats(1, 1));
    return ByteBuffer.wrap(GraphRun.once(meta, graph, data).get(y.name()))
        .order(ByteOrder.LITTLE_ENDIAN)
        .getFloat();
  }

  private static byte[] floats(float a, float b) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putFloat(a).putFloat(b).array();
  }
}
