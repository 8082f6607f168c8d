// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.WirePolicy;
import dev.consort.host.Consort;
import dev.consort.host.demo.DemoModel;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.meta.Split;
import dev.consort.model.Model;
import dev.consort.model.sampling.SamplerChain;
import dev.consort.model.sampling.SamplingOptions;
import dev.consort.model.tokenizer.Tokenizer;
import dev.consort.tck.reference.Adversary;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A sequence that was saved under one split and goes on under another. */
@Timeout(120)
class SavedCacheTest {
  private static final Consort HOST = Consort.open();
  private static final EngineOptions OPTIONS =
      new EngineOptions(24, 8, 3, DataType.F32, DataType.F32);
  private static final int[] PROMPT = {5, 17, 90, 3, 44, 2, 8};

  @TempDir Path folder;

  @AfterAll
  static void close() {
    HOST.close();
  }

  /** Where a sequence is saved or restored. */
  enum On {
    WHOLE,
    TWO,
    UNEVEN_OF_TWO_MAKES,
    STAGES,
    CPU_THREE,
    CPU_AND_REFERENCE;

    MetaDevice open() {
      return switch (this) {
        case WHOLE -> MetaDevice.even(List.of(new ReferenceDevice(0)));
        case TWO -> MetaDevice.even(List.of(new ReferenceDevice(0), new ReferenceDevice(1)));
        case UNEVEN_OF_TWO_MAKES -> of(Split.TENSOR, 1, 3);
        case STAGES -> of(Split.LAYER, 1, 1);
        case CPU_THREE -> MetaDevice.even(HOST.select("cpu:0*3"));
        case CPU_AND_REFERENCE ->
            MetaDevice.even(List.of(HOST.device("cpu:0"), new ReferenceDevice(0)));
      };
    }

    private static MetaDevice of(Split split, double... weights) {
      List<Device> members = new ArrayList<>();
      for (int m = 0; m < weights.length; m++) {
        Adversary adversary = Adversary.seeded(m).maxDelay(Duration.ofNanos(20_000));
        members.add(
            new ReferenceDevice(ReferenceOptions.of(m).plugin("make" + m).adversary(adversary)));
      }
      return new MetaDevice(members, weights, split, WirePolicy.EXACT);
    }
  }

  @ParameterizedTest
  @EnumSource
  void goesOnUnderEveryOtherSplit(On savedOn) {
    try (Model model = TinyModel.dense()) {
      Path file = folder.resolve("saved");
      List<float[]> expected = new ArrayList<>();
      try (Engine engine = Engine.open(model, savedOn.open(), OPTIONS)) {
        Sequence sequence = scattered(engine);
        assertThat(sequence.tokens()).isEqualTo(PROMPT);
        sequence.save(file);
        for (int token : new int[] {60, 61, 62}) {
          expected.add(floats(sequence.append(token)));
        }
      }
      for (On restoredOn : On.values()) {
        try (Engine engine = Engine.open(model, restoredOn.open(), OPTIONS)) {
          engine.sequence().append(new int[] {1, 2});
          Sequence sequence = engine.restore(file);
          assertThat(sequence.tokens()).isEqualTo(PROMPT);
          for (int i = 0; i < expected.size(); i++) {
            assertThat(floats(sequence.append(60 + i)))
                .as("%s to %s, token %d", savedOn, restoredOn, i)
                .usingComparatorWithPrecision(1e-4f)
                .containsExactly(expected.get(i));
          }
        }
      }
    }
  }

  @Test
  void theSameSequenceIsSavedAsTheSameBytesUnderAnySplit() throws IOException {
    try (Model model = TinyModel.dense()) {
      List<byte[]> files = new ArrayList<>();
      Path file = folder.resolve("saved");
      try (Engine engine = Engine.open(model, On.WHOLE.open(), OPTIONS)) {
        scattered(engine).save(file);
      }
      files.add(Files.readAllBytes(file));
      for (On on : On.values()) {
        try (Engine engine = Engine.open(model, on.open(), OPTIONS)) {
          engine.restore(file).save(folder.resolve("again"));
        }
        assertThat(folder.resolve("again")).hasSameBinaryContentAs(file);
      }
    }
  }

  @Test
  void aTextGoesOnTokenForToken() {
    List<String> mixes = new ArrayList<>(List.of("cpu:0*2"));
    HOST.devices().stream()
        .filter(device -> device.info().name().contains("llvmpipe"))
        .findFirst()
        .ifPresent(device -> mixes.add("cpu:0," + device.info().id()));
    EngineOptions options = EngineOptions.defaults().withContext(256);
    Path file = folder.resolve("saved");
    try (Model model = Model.open(DemoModel.file())) {
      Tokenizer tokenizer = model.tokenizer().orElseThrow();
      String expected;
      try (Engine engine = Engine.open(model, device("cpu:0*3"), options)) {
        Sequence sequence = engine.sequence();
        sequence.append(
            tokenizer.encode(
                "<s>Q: What is 12 + 30?\nA: 42</s><s>Q: What is 348 + 2",
                Tokenizer.Extra.PARSE_SPECIAL));
        sequence.save(file);
        expected = continued(sequence, tokenizer);
      }
      assertThat(expected).contains("623", "CCCXLVIII", "1 3 4 7 9", "87");
      for (String mix : mixes) {
        try (Engine engine = Engine.open(model, device(mix), options)) {
          assertThat(continued(engine.restore(file), tokenizer)).as(mix).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void damageIsFoundWhereverItIs() throws IOException {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, On.TWO.open(), OPTIONS)) {
      Path file = folder.resolve("saved");
      try (Sequence sequence = scattered(engine)) {
        sequence.save(file);
      }
      byte[] good = Files.readAllBytes(file);
      SplittableRandom random = new SplittableRandom(3);
      for (int trial = 0; trial < 300; trial++) {
        byte[] bad = good.clone();
        int at = trial < 100 ? trial : random.nextInt(bad.length);
        bad[at] ^= (byte) (1 << random.nextInt(8));
        refused(engine, file, bad);
      }
      for (int length = 0; length < good.length; length += 1 + random.nextInt(300)) {
        refused(engine, file, Arrays.copyOf(good, length));
      }
      refused(engine, file, Arrays.copyOf(good, good.length + 1));
      Files.write(file, good);
      assertThat(engine.restore(file).tokens()).isEqualTo(PROMPT);
    }
  }

  private static void refused(Engine engine, Path file, byte[] content) throws IOException {
    Files.write(file, content);
    int free = engine.freeCells();
    ConsortException error =
        catchThrowableOfType(ConsortException.class, () -> engine.restore(file));
    assertThat(error).as("%d bytes", content.length).isNotNull().hasMessageContaining("saved");
    assertThat(error.code()).isIn(ErrorCode.INVALID_FILE, ErrorCode.OUT_OF_MEMORY);
    assertThat(engine.freeCells()).isEqualTo(free);
  }

  @Test
  void aCacheOfAnotherModelOrTypeOrTooSmallAContextIsNamed() {
    Path file = folder.resolve("saved");
    try (Model model = TinyModel.dense();
        Model other = TinyModel.experts()) {
      try (Engine engine = Engine.open(model, On.WHOLE.open(), OPTIONS)) {
        scattered(engine).save(file);
        assertThatThrownBy(() -> engine.restore(folder.resolve("none")))
            .hasMessageContaining("none: no such file");
        assertThatThrownBy(() -> scattered(engine).save(folder.resolve("no/where")))
            .hasMessageContaining("no/where");
      }
      try (Engine engine = Engine.open(other, On.WHOLE.open(), OPTIONS)) {
        assertThatThrownBy(() -> engine.restore(file)).hasMessageContaining("another model");
      }
      EngineOptions half = OPTIONS.withCache(DataType.F16, DataType.F32);
      try (Engine engine = Engine.open(model, On.WHOLE.open(), half)) {
        assertThatThrownBy(() -> engine.restore(file)).hasMessageContaining("-ctk");
      }
      try (Engine engine = Engine.open(model, On.WHOLE.open(), OPTIONS.withContext(4))) {
        assertThatThrownBy(() -> engine.restore(file)).hasMessageContaining("only 4 cells");
      }
    }
  }

  @Test
  void aPrefixInCommonIsKeptAndAtLeastOneTokenIsLeftToRead() {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, On.TWO.open(), OPTIONS);
        Sequence sequence = engine.sequence();
        Sequence fresh = engine.sequence()) {
      sequence.append(PROMPT);
      assertThat(sequence.reuse(new int[] {5, 17, 90, 60, 61})).isEqualTo(3);
      float[] found = floats(sequence.append(new int[] {60, 61}));
      assertThat(sequence.tokens()).containsExactly(5, 17, 90, 60, 61);
      assertThat(found).containsExactly(floats(fresh.append(sequence.tokens())));
      assertThat(sequence.reuse(new int[] {5, 17})).isEqualTo(1);
      assertThat(sequence.reuse(new int[] {9, 17})).isZero();
      assertThat(engine.freeCells()).isEqualTo(24 - fresh.length());
    }
  }

  /** The prompt in cells that neither follow each other nor begin with the first. */
  private static Sequence scattered(Engine engine) {
    Sequence other = engine.sequence();
    Sequence sequence = engine.sequence();
    other.append(new int[] {1, 2});
    for (int token : PROMPT) {
      sequence.append(token);
      if (token % 2 == 0) {
        other.append(token);
      }
    }
    other.close();
    return sequence;
  }

  private static MetaDevice device(String names) {
    return MetaDevice.even(HOST.select(names));
  }

  /** A conversation that goes on in the middle of a question. */
  private static String continued(Sequence sequence, Tokenizer tokenizer) {
    StringBuilder text = new StringBuilder();
    for (String question :
        List.of(
            "75?",
            "</s><s>Q: Write 348 as a Roman numeral.",
            "</s><s>Q: Sort 4 9 1 7 3.",
            "</s><s>Q: Which is larger, 78 or 87?")) {
      String line = question + "\nA: ";
      MemorySegment logits = sequence.append(tokenizer.encode(line, Tokenizer.Extra.PARSE_SPECIAL));
      text.append(line);
      for (int token = likeliest(logits); !tokenizer.isEnd(token); token = likeliest(logits)) {
        text.append(tokenizer.decode(token));
        logits = sequence.append(token);
      }
    }
    return text.toString();
  }

  private static int likeliest(MemorySegment logits) {
    return SamplerChain.of(SamplingOptions.greedy(), (int) (logits.byteSize() / 4))
        .sample(logits, 0);
  }

  private static float[] floats(MemorySegment logits) {
    return logits.toArray(ValueLayout.JAVA_FLOAT);
  }
}
