// SPDX-License-Identifier: Apache-2.0
package dev.consort.api.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.DataType;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class CodecTest {
  private static final int SIZE = 256;

  /** What quantising random weights costs at most, as a share of their square sum. */
  private static final Map<DataType, Double> LIMITS =
      Map.ofEntries(
          Map.entry(DataType.F16, 1e-12),
          Map.entry(DataType.BF16, 1e-5),
          Map.entry(DataType.Q8_0, 1e-4),
          Map.entry(DataType.Q4_0, 1.5e-2),
          Map.entry(DataType.Q4_1, 1.5e-2),
          Map.entry(DataType.Q5_0, 4e-3),
          Map.entry(DataType.Q5_1, 4e-3),
          Map.entry(DataType.IQ4_NL, 1.5e-2),
          Map.entry(DataType.IQ4_XS, 1.5e-2),
          Map.entry(DataType.Q2_K, 0.13),
          Map.entry(DataType.Q3_K, 4e-2),
          Map.entry(DataType.Q4_K, 1e-2),
          Map.entry(DataType.Q5_K, 3e-3),
          Map.entry(DataType.Q6_K, 1e-3),
          Map.entry(DataType.MXFP4, 3e-2));

  private record Block(DataType type, byte[] bytes) {
    float[] decode() {
      float[] values = new float[SIZE];
      Codec.of(type)
          .decode(MemorySegment.ofArray(bytes), 0, MemorySegment.ofArray(values), 0, SIZE);
      return values;
    }
  }

  @Test
  void blocksThatGgmlWroteDecodeToTheirSource() throws IOException {
    List<List<Block>> groups = groups();
    assertThat(groups).hasSize(2);
    assertThat(groups.getFirst()).hasSizeGreaterThan(11);
    for (List<Block> group : groups) {
      float[] source = group.getFirst().decode();
      for (Block block : group) {
        assertThat(nmse(block.decode(), source))
            .as(block.type().label())
            .isLessThan(LIMITS.get(block.type()));
      }
    }
  }

  @Test
  void everyTypeHasACodec() {
    for (DataType type : DataType.values()) {
      assertThat(Codec.of(type).type()).isEqualTo(type);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"})
  void whatIsEncodedDecodesToNearlyTheSame(DataType type) {
    float[] values = new float[4 * SIZE];
    var random = new Random(7);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian() * (1 + i / SIZE);
    }
    assertThat(nmse(roundTrip(type, values), values))
        .isLessThan(type == DataType.F16 ? 1e-6 : LIMITS.get(type));
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"})
  void constantsSurvive(DataType type) {
    float[] values = new float[SIZE];
    for (float value : roundTrip(type, values)) {
      assertThat(value).isZero();
    }
    Arrays.fill(values, 3);
    assertThat(nmse(roundTrip(type, values), values)).isLessThan(1e-5);
    Arrays.fill(values, -3);
    assertThat(nmse(roundTrip(type, values), values)).isLessThan(1e-5);
  }

  @ParameterizedTest
  @CsvSource({"1.00390625,1.0", "1.01171875,1.015625", "-1.00390625,-1.0", "3.4e38,Infinity"})
  void bf16RoundsToNearestEven(float value, float expected) {
    assertThat(roundTrip(DataType.BF16, new float[] {value})).containsExactly(expected);
  }

  @Test
  void bf16KeepsNan() {
    float nan = Float.intBitsToFloat(0x7f80_0001);
    assertThat(roundTrip(DataType.BF16, new float[] {nan})).containsExactly(Float.NaN);
  }

  @Test
  void typesThatCannotBeWrittenSaySo() {
    assertThatThrownBy(() -> roundTrip(DataType.Q2_K, new float[SIZE]))
        .hasMessageContainingAll("q2_k", "q4_0");
  }

  @ParameterizedTest
  @EnumSource(DataType.class)
  void aLongRunDecodesAsItsBlocksDo(DataType type) {
    int block = type.blockElements();
    int elements = 40 * SIZE + block;
    byte[] bytes = new byte[(int) type.bytes(elements)];
    new Random(3).nextBytes(bytes);
    float[] blocks = new float[elements];
    float[] run = new float[elements + 1];
    for (int i = 0; i < elements; i += block) {
      decode(type, bytes, type.bytes(i), blocks, i, block);
    }
    decode(type, bytes, 0, run, 1, elements);
    assertThat(Arrays.copyOfRange(run, 1, run.length)).containsExactly(blocks);
  }

  private static void decode(
      DataType type, byte[] bytes, long from, float[] values, int to, int elements) {
    Codec.of(type)
        .decode(
            MemorySegment.ofArray(bytes), from, MemorySegment.ofArray(values), 4L * to, elements);
  }

  private static float[] roundTrip(DataType type, float[] values) {
    byte[] bytes = new byte[(int) type.bytes(values.length)];
    float[] back = new float[values.length];
    Codec codec = Codec.of(type);
    codec.encode(MemorySegment.ofArray(values), 0, MemorySegment.ofArray(bytes), 0, values.length);
    codec.decode(MemorySegment.ofArray(bytes), 0, MemorySegment.ofArray(back), 0, values.length);
    return back;
  }

  private static double nmse(float[] found, float[] expected) {
    double error = 0;
    double square = 0;
    for (int i = 0; i < found.length; i++) {
      error += Math.pow(found[i] - expected[i], 2);
      square += Math.pow(expected[i], 2);
    }
    return error / square;
  }

  private static List<List<Block>> groups() throws IOException {
    List<List<Block>> groups = new ArrayList<>();
    try (InputStream in = CodecTest.class.getResourceAsStream("blocks.txt")) {
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
        if (line.startsWith("#")) {
          groups.add(new ArrayList<>());
        } else {
          String[] words = line.split(" ");
          byte[] bytes = HexFormat.of().parseHex(words[1]);
          groups.getLast().add(new Block(DataType.valueOf(words[0]), bytes));
        }
      }
    }
    return groups;
  }
}
