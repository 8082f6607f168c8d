// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufFileTest {
  @TempDir Path folder;

  @Test
  void readsWhatTheWriterWrote() {
    Path path = folder.resolve("m.gguf");
    write(path);

    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.metadata().string("general.architecture")).isEqualTo("llama");
      assertThat(file.metadata().strings("tokens").get(1)).isEqualTo("b");
      assertThat(file.tensors()).hasSize(2);
      assertThat(file.tensor("two").data().get(Layouts.F32, 4)).isEqualTo(5f);
      assertThatThrownBy(() -> file.tensor("three"))
          .hasMessageContainingAll("m.gguf", "tensor three is missing");
    }
  }

  @Test
  void anUnfinishedFileLeavesNothingBehind() throws IOException {
    Path path = folder.resolve("m.gguf");
    try (GgufWriter writer = GgufWriter.create(path)) {
      writer.tensor("one", DataType.F32, Shape.of(4)).begin();
      assertThatThrownBy(writer::finish).hasMessageContaining("0 of 16 bytes of tensor one");
    }
    try (var files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void opensAModelInSeveralFilesByAnyOfThem() throws IOException {
    for (int i = 0; i < 3; i++) {
      part(i, 3, "t" + i, 3);
    }
    for (int i = 1; i <= 3; i++) {
      try (GgufFile file = GgufFile.open(folder.resolve("m-0000" + i + "-of-00003.gguf"))) {
        assertThat(file.tensors()).extracting(GgufTensor::name).containsExactly("t0", "t1", "t2");
        assertThat(file.metadata().has("only.in.0")).isTrue();
      }
    }
  }

  @Test
  void missingAndForeignPartsAreNamed() throws IOException {
    part(0, 3, "t0", 3);
    part(2, 3, "t2", 3);
    Path first = folder.resolve("m-00001-of-00003.gguf");
    refused(first, ErrorCode.NOT_FOUND, "1 of the model's 3 files", "m-00002-of-00003.gguf");

    Files.copy(folder.resolve("m-00003-of-00003.gguf"), folder.resolve("m-00002-of-00003.gguf"));
    refused(first, ErrorCode.INVALID_FILE, "m-00002", "found part 3 of 3, expected part 2 of 3");

    part(1, 3, "t0", 3);
    refused(first, ErrorCode.INVALID_FILE, "tensor t0 is in two");

    part(1, 3, "t1", 3);
    part(0, 3, "t0", 9);
    refused(first, ErrorCode.INVALID_FILE, "found 3 tensors in all parts, expected 9");

    Path renamed = folder.resolve("model.gguf");
    Files.copy(first, renamed);
    refused(renamed, ErrorCode.INVALID_FILE, "-NNNNN-of-00003.gguf");
  }

  @Test
  void missingFilesAndFoldersAreNamed() {
    refused(folder.resolve("none.gguf"), ErrorCode.NOT_FOUND, "no such file");
    refused(folder, ErrorCode.NOT_FOUND, "this is a folder");
  }

  @Test
  void opensALargeVocabularyFast() {
    Path path = folder.resolve("v.gguf");
    try (GgufWriter writer = GgufWriter.create(path)) {
      writer.strings("tokens", Collections.nCopies(128_000, "sometoken")).begin().finish();
    }
    long start = System.nanoTime();
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.metadata().strings("tokens").get(127_999)).isEqualTo("sometoken");
    }
    assertThat((System.nanoTime() - start) / 1_000_000).isLessThan(1_000);
  }

  private static void write(Path path) {
    try (GgufWriter writer = GgufWriter.create(path)) {
      writer
          .string("general.architecture", "llama")
          .integer("n", 7)
          .real("x", 0.5f)
          .flag("f", true)
          .strings("tokens", List.of("a", "b"))
          .floats("scores", new float[] {1, 2})
          .integers("types", new int[] {1, 3})
          .tensor("one", DataType.F32, Shape.of(3))
          .tensor("two", DataType.F32, Shape.of(2, 1))
          .begin();
      writer.write("two", 0, MemorySegment.ofArray(new float[] {4, 5}));
      writer.write("one", 4, MemorySegment.ofArray(new float[] {2, 3}));
      writer.write("one", 0, MemorySegment.ofArray(new float[] {1}));
      writer.finish();
    }
  }

  private void part(int index, int count, String tensor, int total) {
    Path path = folder.resolve("m-%05d-of-%05d.gguf".formatted(index + 1, count));
    try (GgufWriter writer = GgufWriter.create(path)) {
      writer
          .integer("only.in." + index, 1)
          .integer("split.no", index)
          .integer("split.count", count)
          .integer("split.tensors.count", total)
          .tensor(tensor, DataType.F32, Shape.of(2))
          .begin()
          .write(tensor, 0, MemorySegment.ofArray(new float[] {index, index}));
      writer.finish();
    }
  }

  private static void refused(Path path, ErrorCode code, String... words) {
    assertThatThrownBy(() -> GgufFile.open(path).close())
        .isInstanceOf(ConsortException.class)
        .hasMessageContainingAll(words)
        .extracting(e -> ((ConsortException) e).code())
        .isEqualTo(code);
  }
}
