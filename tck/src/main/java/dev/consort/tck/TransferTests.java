// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.CopyTensor;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.GraphBuilder;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.opentest4j.TestAbortedException;

/** Moving bytes in, out and about, at any offset and length. */
public abstract class TransferTests extends KitTest {
  private static final int ROUNDS = 60;

  @TestFactory
  Stream<DynamicTest> setAndGetWorkAtAnyOffsetAndLength() {
    GraphBuilder builder = new GraphBuilder();
    ShardGroup group = new ShardGroup("units", 5);
    return Stream.of(
            builder.input("f32", DataType.F32, Shape.of(1031)),
            builder.state("f16", DataType.F16, Shape.of(33, 3, 7)),
            builder.weight("q4_0", DataType.Q4_0, Shape.of(96, 5)),
            builder.weight("q6_k", DataType.Q6_K, Shape.of(512, 3)),
            builder.weight("columns", DataType.Q8_0, Shape.of(64, 35), Shard.of(1, group, 7)),
            builder.weight("rows", DataType.Q8_0, Shape.of(160, 6), Shard.of(0, group, 32)),
            builder.weight(
                "segments", DataType.F32, Shape.of(9, 25), new Shard(1, group, List.of(3L, 2L))),
            builder.state("heads", DataType.F16, Shape.of(8, 5, 6), Shard.of(1, group, 1)))
        .map(
            tensor -> DynamicTest.dynamicTest(tensor.toString(), () -> writeAndReadPieces(tensor)));
  }

  private void writeAndReadPieces(Tensor tensor) {
    try (Lab lab = new Lab()) {
      Backend backend = lab.backend(device());
      Storage storage = lab.place(device(), tensor).storage(tensor);
      Random random = new Random(tensor.name().hashCode());
      int size = Math.toIntExact(tensor.bytes());
      MemorySegment shadow = lab.bytes(size);
      backend.set(storage, 0, lab.bytes(size).copyFrom(shadow));
      for (int round = 0; round < ROUNDS; round++) {
        int from = random.nextInt(size);
        int length = round % 5 == 0 ? 1 : random.nextInt(size - from + 1);
        byte[] piece = new byte[length];
        random.nextBytes(piece);
        MemorySegment bytes = lab.bytes(length).copyFrom(MemorySegment.ofArray(piece));
        backend.set(storage, from, bytes);
        shadow.asSlice(from, length).copyFrom(bytes);
        int readFrom = random.nextInt(size);
        MemorySegment read = lab.bytes(random.nextInt(size - readFrom + 1));
        backend.get(storage, readFrom, read);
        backend.synchronize();
        assertThat(read.mismatch(shadow.asSlice(readFrom, read.byteSize())))
            .as("byte of [%d, %d) that differs", readFrom, readFrom + read.byteSize())
            .isEqualTo(-1);
      }
    }
  }

  @Test
  void transfersInFlightKeepTheirOrder() {
    Backend backend = lab().backend(device());
    Storage x = lab().vector(device(), "x", 512);
    MemorySegment[] read = new MemorySegment[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      backend.set(x, 0, lab().filled(512, i));
      backend.set(x, 4 * (i % 64), lab().filled(7, -i));
      read[i] = lab().bytes(2048);
      backend.get(x, 0, read[i]);
    }
    backend.synchronize();
    for (int i = 0; i < ROUNDS; i++) {
      float[] expected = Lab.floats(lab().filled(512, i));
      Arrays.fill(expected, i % 64, i % 64 + 7, -i);
      assertThat(Lab.floats(read[i])).as("round %d", i).isEqualTo(expected);
    }
  }

  @Test
  void transfersOutsideATensorAreRefusedAndHarmNothing() {
    Backend backend = lab().backend(device());
    Storage x = lab().vector(device(), "x", 16);
    backend.set(x, 0, lab().filled(16, 4));
    assertRefused(() -> backend.set(x, 4, lab().bytes(64)), ErrorCode.INVALID_ARGUMENT);
    assertRefused(() -> backend.set(x, -4, lab().bytes(4)), ErrorCode.INVALID_ARGUMENT);
    assertRefused(() -> backend.get(x, 64, lab().bytes(1)), ErrorCode.INVALID_ARGUMENT);
    assertThat(lab().read(backend, x)).containsOnly(4);
  }

  @Test
  void settingARectangleIsAsSettingItsRows() {
    var set = capability(ProcAddresses.SET_TENSOR_2D_ASYNC);
    Backend backend = lab().backend(device());
    Storage whole = lab().vector(device(), "whole", 640);
    Storage rows = lab().vector(device(), "rows", 640);
    MemorySegment data = lab().bytes(4096);
    for (int i = 0; i < 4096; i++) {
      data.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 31));
    }
    for (Storage storage : List.of(whole, rows)) {
      backend.set(storage, 0, lab().filled(640, 1));
    }
    for (long[] r : rectangles()) {
      set.set(backend, whole, r[0], r[1], data, r[2], r[3], r[4]);
      for (long i = 0; i < r[4]; i++) {
        backend.set(rows, r[0] + i * r[1], data.asSlice(i * r[2], r[3]));
      }
      assertThat(lab().read(backend, whole)).isEqualTo(lab().read(backend, rows));
    }
  }

  @Test
  void gettingARectangleIsAsGettingItsRows() {
    var get = capability(ProcAddresses.GET_TENSOR_2D_ASYNC);
    Backend backend = lab().backend(device());
    Storage x = lab().vector(device(), "x", 640);
    float[] values = new float[640];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    backend.set(x, 0, lab().floats(values));
    for (long[] r : rectangles()) {
      MemorySegment whole = lab().bytes(4096);
      MemorySegment rows = lab().bytes(4096);
      get.get(backend, x, r[0], r[1], whole, r[2], r[3], r[4]);
      for (long i = 0; i < r[4]; i++) {
        backend.get(x, r[0] + i * r[1], rows.asSlice(i * r[2], r[3]));
      }
      backend.synchronize();
      assertThat(whole.mismatch(rows)).isEqualTo(-1);
    }
  }

  /** What the host does where the two capabilities are absent. */
  @Test
  void rectanglesMoveRowByRow() {
    Backend backend = lab().backend(device());
    Storage x = lab().vector(device(), "x", 640);
    MemorySegment data = lab().bytes(4096);
    for (int i = 0; i < 4096; i++) {
      data.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 37));
    }
    for (long[] r : rectangles()) {
      MemorySegment shadow = lab().bytes(2560);
      backend.set(x, 0, lab().bytes(2560));
      MemorySegment back = lab().bytes(4096);
      for (long i = 0; i < r[4]; i++) {
        MemorySegment row = data.asSlice(i * r[2], r[3]);
        backend.set(x, r[0] + i * r[1], row);
        shadow.asSlice(r[0] + i * r[1], r[3]).copyFrom(row);
        backend.get(x, r[0] + i * r[1], back.asSlice(i * r[2], r[3]));
      }
      MemorySegment whole = lab().bytes(2560);
      backend.get(x, 0, whole);
      backend.synchronize();
      assertThat(whole.mismatch(shadow)).as("first byte that differs").isEqualTo(-1);
      for (long i = 0; i < r[4]; i++) {
        assertThat(back.asSlice(i * r[2], r[3]).mismatch(data.asSlice(i * r[2], r[3])))
            .as("first byte of row %d that differs", i)
            .isEqualTo(-1);
      }
    }
  }

  /** What the host does where two devices are not connected. */
  @Test
  void copiesBetweenBackendsGoThroughTheHost() {
    List<Device> members = members(2);
    Backend from = lab().backend(members.get(0));
    Backend to = lab().backend(members.get(1));
    Storage a = lab().vector(members.get(0), "a", 300);
    Storage b = lab().vector(members.get(1), "b", 300);
    for (int i = 0; i < ROUNDS; i++) {
      MemorySegment between = lab().bytes(1200);
      from.set(a, 0, lab().filled(300, i));
      from.get(a, 0, between);
      from.synchronize();
      to.set(b, 0, between);
      assertThat(lab().read(to, b)).as("round %d", i).containsOnly(i);
    }
  }

  /** Offset, stride on the device, stride in the host, bytes a row, rows. */
  private static long[][] rectangles() {
    return new long[][] {
      {0, 256, 128, 64, 8},
      {4, 100, 36, 36, 20},
      {8, 64, 64, 64, 1},
      {3, 77, 50, 13, 9},
      {0, 32, 32, 32, 64},
      {0, 64, 64, 64, 0}
    };
  }

  @Test
  void copiesMoveJustTheirBytes() {
    Backend backend = lab().backend(device());
    Storage a = lab().vector(device(), "a", 64);
    Storage b = lab().vector(device(), "b", 64);
    float[] values = new float[64];
    for (int i = 0; i < 64; i++) {
      values[i] = i;
    }
    backend.set(a, 0, lab().floats(values));
    backend.set(b, 0, lab().filled(64, -1));
    backend.copy(a, 20, b, 40, 32);
    float[] expected = Lab.floats(lab().filled(64, -1));
    System.arraycopy(values, 5, expected, 10, 8);
    assertThat(lab().read(backend, b)).isEqualTo(expected);
    assertThat(lab().read(backend, a)).isEqualTo(values);
  }

  @Test
  void copiesWithinOneTensorMayNeighbourEachOther() {
    Backend backend = lab().backend(device());
    Storage a = lab().vector(device(), "a", 32);
    backend.set(a, 0, lab().filled(16, 5));
    backend.copy(a, 0, a, 64, 64);
    assertThat(lab().read(backend, a)).containsOnly(5);
  }

  @Test
  void copiesBetweenBackendsArrive() {
    CopyTensor copy = capability(ProcAddresses.COPY_TENSOR_ASYNC);
    List<Device> members = members(2);
    if (!copy.connects(members.get(0), members.get(1))) {
      throw new TestAbortedException("no way from " + members.get(0) + " to " + members.get(1));
    }
    Backend from = lab().backend(members.get(0));
    Backend to = lab().backend(members.get(1));
    Storage a = lab().vector(members.get(0), "a", 300);
    Storage b = lab().vector(members.get(1), "b", 300);
    for (int i = 0; i < ROUNDS; i++) {
      from.set(a, 0, lab().filled(300, i));
      copy.copy(from, a, 0, to, b, 0, 1200);
    }
    assertThat(lab().read(to, b)).containsOnly(ROUNDS - 1);
  }

  @Test
  void emptyTransfersDoNothing() {
    Backend backend = lab().backend(device());
    Storage x = lab().vector(device(), "x", 4);
    Allocation none =
        lab().place(device(), new GraphBuilder().input("none", DataType.F32, Shape.of(0, 3)));
    backend.set(x, 0, lab().floats(1, 2, 3, 4));
    backend.set(x, 16, lab().bytes(0));
    backend.get(none.storages().iterator().next(), 0, lab().bytes(0));
    backend.copy(x, 4, x, 12, 0);
    assertThat(lab().read(backend, x)).containsExactly(1, 2, 3, 4);
  }
}
