// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.DataType;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import dev.consort.api.quant.Codec;
import dev.consort.tck.cases.Fill;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The kit's decoders and the API's were written apart; they must agree on every type. */
class BlockDecoderTest {
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "I32")
  void agreesWithTheCodecsOfTheApi(DataType type) {
    int columns = 1024;
    Tensor tensor = new GraphBuilder().weight("w", type, Shape.of(columns, 3));
    MemorySegment bytes = MemorySegment.ofArray(new byte[(int) tensor.bytes()]);
    Fill.uniform().fill(tensor, bytes, new Random(5));
    float[] expected = new float[columns * 3];
    Codec.of(type).decode(bytes, 0, MemorySegment.ofArray(expected), 0, expected.length);
    float[] found = Reference.floats(tensor, bytes);
    for (int i = 0; i < found.length; i++) {
      assertThat(found[i]).as("element %d", i).isCloseTo(expected[i], Offset.offset(1e-6f));
    }
    assertThat(expected).as("not all zero").isNotEqualTo(new float[expected.length]);
  }
}
