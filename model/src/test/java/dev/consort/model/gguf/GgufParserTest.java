// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.Shape;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufParserTest {

  private static HeadBytes sound() {
    return new HeadBytes()
        .string("general.architecture", "llama")
        .integer("llama.block_count", 3)
        .tensor("a", 0, 0, 8)
        .tensor("b", 8, 32, 32, 2)
        .data(128);
  }

  @Test
  void readsKeysAndPlacesTensors() {
    GgufParser.Parsed parsed = sound().parse();

    assertThat(parsed.metadata().string("general.architecture")).isEqualTo("llama");
    assertThat(parsed.metadata().integer("llama.block_count")).isEqualTo(3);
    assertThat(parsed.metadata().keys())
        .containsExactly("general.architecture", "llama.block_count");
    GgufTensor b = parsed.tensors().get(1);
    assertThat(b.type()).isEqualTo(DataType.Q8_0);
    assertThat(b.shape()).isEqualTo(Shape.of(32, 2));
    assertThat(b.bytes()).isEqualTo(68);
    assertThat(b.data().get(Layouts.I8, 0)).isEqualTo((byte) 32);
  }

  @Test
  void readsVersionTwo() {
    assertThat(sound().version(2).parse().tensors()).hasSize(2);
  }

  @Test
  void everyTruncationIsNamed() {
    byte[] whole = sound().bytes();
    int end = whole.length - 128 + 32 + 68;
    for (int length = 0; length < end; length++) {
      MemorySegment cut = MemorySegment.ofArray(Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> GgufParser.parse("cut.gguf", cut))
          .as("cut at %d", length)
          .isInstanceOf(ConsortException.class)
          .hasMessageStartingWith("cut.gguf: ")
          .extracting(e -> ((ConsortException) e).code())
          .isEqualTo(ErrorCode.INVALID_FILE);
    }
    assertThat(
            GgufParser.parse("cut.gguf", MemorySegment.ofArray(Arrays.copyOf(whole, end)))
                .tensors())
        .hasSize(2);
  }

  @Test
  void refusesWhatIsNoGguf() {
    byte[] zip = {'P', 'K', 3, 4, 0, 0, 0, 0, 0, 0};
    refused(() -> GgufParser.parse("a.zip", MemorySegment.ofArray(zip)), "504b0304", "GGUF");
  }

  @Test
  void refusesOtherByteOrderAndVersions() {
    assertThatThrownBy(() -> sound().version(3 << 24).parse()).hasMessageContaining("big-endian");
    assertThatThrownBy(() -> sound().version(1).parse())
        .hasMessageContaining("version 1, expected 2 or 3");
    assertThatThrownBy(() -> sound().version(4).parse()).hasMessageContaining("version 4");
  }

  @ParameterizedTest
  @ValueSource(longs = {1000, Integer.MAX_VALUE, Long.MAX_VALUE, -1, Long.MIN_VALUE})
  void refusesCountsThatTheFileHasNoRoomFor(long count) {
    refused(() -> sound().tensorCount(count).parse(), "the number of tensors", "room for");
    refused(() -> sound().keyCount(count).parse(), "the number of metadata keys", "room for");
  }

  @ParameterizedTest
  @ValueSource(longs = {1 << 20, Long.MAX_VALUE, -1})
  void refusesLengthsThatTheFileHasNoRoomFor(long length) {
    var string = new HeadBytes();
    string.key("k", 8).i64(length);
    refused(string::parse, "the length of k");
    for (int element : new int[] {0, 4, 7, 8, 12}) {
      var array = new HeadBytes();
      array.key("k", 9).i32(element).i64(length);
      refused(array::parse, "the array length of k");
    }
  }

  @Test
  void refusesUnknownAndNestedMetadataTypes() {
    var unknown = new HeadBytes();
    unknown.key("k", 13).i64(0);
    refused(unknown::parse, "metadata key k has type 13", "0 to 12");
    var nested = new HeadBytes();
    nested.key("k", 9).i32(9).i64(0);
    assertThatThrownBy(nested::parse).hasMessageContaining("array of arrays");
  }

  @Test
  void refusesKeysAndNamesLongerThanAnySoundFileHas() {
    String name = "x".repeat(5_000);
    refused(() -> sound().string(name, "y").parse(), "a metadata key", "at most 1024");
    refused(() -> sound().tensor(name, 0, 96, 8).parse(), "a tensor name", "at most 1024");
  }

  @Test
  void refusesMoreKeysThanAnySoundFileHas() {
    var head = new HeadBytes();
    for (int i = 0; i < 70_000; i++) {
      head.integer("k" + i, i);
    }
    refused(head::parse, "the number of metadata keys is 70000", "at most 65536");
  }

  @Test
  void refusesDuplicates() {
    refused(() -> sound().string("llama.block_count", "x").parse(), "is there twice");
    refused(() -> sound().tensor("a", 0, 96, 8).parse(), "tensor a is there twice");
  }

  @Test
  void refusesOverlappingTensors() {
    refused(() -> sound().tensor("c", 0, 64, 8).parse(), "tensors b and c overlap");
    refused(() -> sound().tensor("c", 0, 0, 1).parse(), "overlap");
  }

  @ParameterizedTest
  @ValueSource(longs = {128, 1 << 20, Long.MAX_VALUE & -32L, Long.MIN_VALUE})
  void refusesTensorsOutsideTheFile(long offset) {
    refused(() -> sound().tensor("c", 0, offset, 8).parse(), "tensor c");
  }

  @Test
  void refusesMisalignedOffsets() {
    refused(() -> sound().tensor("c", 0, 103, 1).parse(), "offset 103", "multiple of 32");
  }

  @Test
  void refusesShapesThatCannotBe() {
    refused(() -> sound().tensor("c", 0, 0, 0).parse(), "shape [0, 1, 1, 1]");
    refused(() -> sound().tensor("c", 0, 0, -4, 2).parse(), "shape");
    refused(() -> sound().tensor("c", 0, 0, 1L << 40, 1L << 40).parse(), "shape");
    refused(() -> sound().tensor("c", 0, 0, 1L << 62).parse(), "more than can exist");
    refused(() -> sound().tensor("c", 8, 0, 33).parse(), "33 elements", "multiple of 32");
    refused(() -> sound().tensor("c", 0, 0).parse(), "0 axes");
    refused(() -> sound().tensor("c", 0, 0, 1, 1, 1, 1, 1).parse(), "5 axes", "1 to 4");
  }

  @Test
  void refusesUnknownTensorTypesNamingThoseThereAre() {
    assertThatThrownBy(() -> sound().tensor("c", 77, 0, 32).parse())
        .hasMessageContainingAll("tensor c", "type number 77", "q4_k", "bf16");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 48, -32, 1 << 30})
  void refusesBadAlignments(int alignment) {
    refused(
        () -> sound().integer("general.alignment", alignment).parse(),
        "general.alignment",
        "power of two");
  }

  private static void refused(ThrowingCallable parse, String... words) {
    assertThatThrownBy(parse)
        .isInstanceOf(ConsortException.class)
        .hasMessageContainingAll(words)
        .extracting(e -> ((ConsortException) e).code())
        .isEqualTo(ErrorCode.INVALID_FILE);
  }
}
