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
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.meta.Split;
import dev.consort.model.Model;
import dev.consort.tck.Comparison;
import dev.consort.tck.reference.Adversary;
import dev.consort.tck.reference.Adversary.Fault;
import dev.consort.tck.reference.Adversary.Site;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sequences, the cache and errors, on devices of all sorts. */
@Timeout(120)
class EngineTest {
  private static final Consort HOST = Consort.open();
  private static final EngineOptions OPTIONS =
      new EngineOptions(24, 8, 4, DataType.F32, DataType.F32);
  private static final int[] PROMPT = {5, 17, 90, 3, 44};

  /** What the engine runs on. */
  enum On {
    REFERENCE,
    TWO_WITH_A_COMM,
    THREE_MAKES_ADVERSARIAL,
    STAGES_ADVERSARIAL,
    STAGES_OF_ONE_MAKE,
    CPU,
    CPU_AND_REFERENCE;

    MetaDevice open() {
      return switch (this) {
        case REFERENCE -> MetaDevice.even(List.of(new ReferenceDevice(0)));
        case TWO_WITH_A_COMM ->
            MetaDevice.even(List.of(new ReferenceDevice(0), new ReferenceDevice(1)));
        case THREE_MAKES_ADVERSARIAL -> adversarial(Split.TENSOR, 2);
        case STAGES_ADVERSARIAL -> adversarial(Split.LAYER, 2);
        case STAGES_OF_ONE_MAKE -> adversarial(Split.LAYER, 1);
        case CPU -> MetaDevice.even(HOST.select("cpu:0*2"));
        case CPU_AND_REFERENCE ->
            MetaDevice.even(List.of(HOST.device("cpu:0"), new ReferenceDevice(0)));
      };
    }

    private static MetaDevice adversarial(Split split, int makes) {
      List<Device> members = new ArrayList<>();
      for (int m = 0; m < 3; m++) {
        Adversary adversary = Adversary.seeded(m).maxDelay(Duration.ofNanos(50_000));
        members.add(
            new ReferenceDevice(
                ReferenceOptions.of(m).plugin("make" + m % makes).adversary(adversary)));
      }
      return new MetaDevice(members, new double[] {1, 1, 1}, split, WirePolicy.EXACT);
    }
  }

  @AfterAll
  static void close() {
    HOST.close();
  }

  @ParameterizedTest
  @EnumSource
  void tokenByTokenGivesWhatOneBatchGives(On on) {
    try (Model model = TinyModel.experts();
        Engine engine = Engine.open(model, on.open(), OPTIONS);
        Sequence whole = engine.sequence();
        Sequence steps = engine.sequence()) {
      int[] tokens = {5, 17, 90, 3, 44, 2, 8, 8, 1, 95, 63};
      whole.appendAll(tokens);
      List<float[]> expected = new ArrayList<>();
      for (int i = 0; i < tokens.length; i++) {
        expected.add(floats(engine.logits(i)));
      }
      for (int i = 0; i < tokens.length; i++) {
        assertSame(floats(steps.append(tokens[i])), expected.get(i), "token " + i);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void truncatedTokensAreForgotten(On on) {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, on.open(), OPTIONS);
        Sequence sequence = engine.sequence();
        Sequence fresh = engine.sequence()) {
      sequence.append(PROMPT);
      sequence.truncate(2);
      assertThat(sequence.length()).isEqualTo(2);
      float[] found = floats(sequence.append(new int[] {7, 9}));
      assertSame(found, floats(fresh.append(new int[] {5, 17, 7, 9})), "after truncation");
    }
  }

  @ParameterizedTest
  @EnumSource
  void forksShareThePastAndNothingElse(On on) {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, on.open(), OPTIONS)) {
      Sequence first = engine.sequence();
      first.append(PROMPT);
      int free = engine.freeCells();
      Sequence second = first.fork();
      assertThat(engine.freeCells()).as("a fork takes no cells").isEqualTo(free);
      first.append(11);
      float[] found = floats(second.append(new int[] {60, 61}));
      first.close();
      float[] after = floats(second.append(62));
      second.close();
      assertThat(engine.freeCells()).isEqualTo(24);
      Sequence alone = engine.sequence();
      alone.append(PROMPT);
      assertSame(found, floats(alone.append(new int[] {60, 61})), "the fork");
      assertSame(after, floats(alone.append(62)), "the fork without its origin");
    }
  }

  @ParameterizedTest
  @EnumSource
  void sequencesOfOneBatchDoNotSeeEachOther(On on) {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, on.open(), OPTIONS)) {
      Sequence first = engine.sequence();
      Sequence second = engine.sequence();
      Batch batch = new Batch(8);
      for (int i = 0; i < 3; i++) {
        batch.add(PROMPT[i], i, 1 << first.id(), i == 2);
        batch.add(70 + i, i, 1 << second.id(), i == 2);
      }
      assertThat(engine.evaluate(batch)).isEqualTo(2);
      float[] one = floats(engine.logits(0));
      float[] other = floats(engine.logits(1));
      first.truncate(0);
      second.truncate(0);
      assertSame(one, floats(first.append(new int[] {5, 17, 90})), "the first");
      first.truncate(0);
      assertSame(other, floats(second.append(new int[] {70, 71, 72})), "the second");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aFullContextIsAnErrorThatChangesNothing(On on) {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, on.open(), OPTIONS);
        Sequence sequence = engine.sequence()) {
      sequence.append(new int[20]);
      float[] before = floats(sequence.append(9));
      ConsortException error =
          catchThrowableOfType(ConsortException.class, () -> sequence.append(new int[4]));
      assertThat(error.code()).isEqualTo(ErrorCode.OUT_OF_MEMORY);
      assertThat(error).hasMessageContaining("3 of 24 cells are free").hasMessageContaining("-c");
      assertThat(sequence.length()).isEqualTo(21);
      assertThat(engine.freeCells()).isEqualTo(3);
      sequence.append(new int[3]);
      assertThatThrownBy(() -> sequence.append(1)).isInstanceOf(ConsortException.class);
      sequence.truncate(20);
      assertSame(floats(sequence.append(9)), before, "after the error");
    }
  }

  @Test
  void aTokenOutOfRangeIsAnErrorThatChangesNothing() {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, On.REFERENCE.open(), OPTIONS);
        Sequence sequence = engine.sequence()) {
      sequence.append(PROMPT);
      for (int wrong : new int[] {TinyModel.VOCABULARY, -1, Integer.MAX_VALUE}) {
        ConsortException error =
            catchThrowableOfType(
                ConsortException.class, () -> sequence.append(new int[] {1, wrong}));
        assertThat(error.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
        assertThat(error).hasMessageContaining("found token").hasMessageContaining("" + wrong);
        assertThat(sequence.length()).isEqualTo(5);
        assertThat(engine.freeCells()).isEqualTo(19);
      }
    }
  }

  @Test
  void aTokenOfASequenceThatIsNotOpenIsRefused() {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, On.REFERENCE.open(), OPTIONS);
        Sequence sequence = engine.sequence()) {
      int both = 1 << sequence.id() | 1 << 3;
      assertThatThrownBy(() -> engine.evaluate(new Batch(1).add(5, 0, both, true)))
          .hasMessageContaining("which are open");
      assertThat(engine.freeCells()).isEqualTo(24);
    }
  }

  @Test
  void noTokensGiveNoLogits() {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, On.REFERENCE.open(), OPTIONS);
        Sequence sequence = engine.sequence()) {
      sequence.append(PROMPT);
      assertThatThrownBy(() -> sequence.append(new int[0])).hasMessageContaining("no tokens");
    }
  }

  @Test
  void thereAreAsManySequencesAsTheOptionsSay() {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, On.REFERENCE.open(), OPTIONS)) {
      Sequence first = engine.sequence();
      for (int i = 1; i < 4; i++) {
        engine.sequence();
      }
      assertThatThrownBy(engine::sequence).hasMessageContaining("all 4 sequences");
      first.close();
      assertThat(engine.sequence().id()).isEqualTo(first.id());
    }
  }

  @Test
  void closingTwiceHarmsNobody() {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, On.REFERENCE.open(), OPTIONS)) {
      Sequence first = engine.sequence();
      first.close();
      Sequence second = engine.sequence();
      second.append(PROMPT);
      first.close();
      assertThat(engine.freeCells()).isEqualTo(24 - PROMPT.length);
      engine.close();
    }
  }

  @Test
  void aClosedSequenceTouchesNoOther() {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, On.REFERENCE.open(), OPTIONS)) {
      Sequence closed = engine.sequence();
      closed.append(PROMPT);
      closed.close();
      Sequence heir = engine.sequence();
      heir.append(new int[] {1, 2});
      for (Runnable call :
          List.<Runnable>of(
              () -> closed.append(3),
              () -> closed.append(PROMPT),
              () -> closed.appendAll(PROMPT),
              () -> closed.truncate(0),
              closed::fork)) {
        ConsortException error = catchThrowableOfType(ConsortException.class, call::run);
        assertThat(error).isNotNull();
        assertThat(error.code()).isEqualTo(ErrorCode.CLOSED);
      }
      assertThat(engine.freeCells()).isEqualTo(22);
    }
  }

  @Test
  void aLengthBelowZeroIsRefused() {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, On.REFERENCE.open(), OPTIONS);
        Sequence sequence = engine.sequence()) {
      sequence.append(PROMPT);
      assertThatThrownBy(() -> sequence.truncate(-1)).hasMessageContaining("found length -1");
      assertThat(sequence.length()).isEqualTo(5);
    }
  }

  @Test
  void rowsThatTheLastEvaluationDidNotGiveAreRefused() {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, On.REFERENCE.open(), OPTIONS);
        Sequence sequence = engine.sequence()) {
      sequence.appendAll(PROMPT);
      engine.logits(4);
      sequence.append(1);
      assertThatThrownBy(() -> engine.logits(4)).hasMessageContaining("the 1 rows");
    }
  }

  @Test
  void decodingBuildsNoPlans() {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, On.TWO_WITH_A_COMM.open(), OPTIONS);
        Sequence sequence = engine.sequence()) {
      sequence.append(1);
      int built = engine.plansBuilt();
      for (int turn = 0; turn < 100; turn++) {
        sequence.append(turn % 90);
        sequence.truncate(1 + turn % 7);
      }
      assertThat(engine.plansBuilt()).isEqualTo(built);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Fault.class,
      names = {"REFUSED", "DEVICE_LOST"})
  void aMemberThatFailsFailsAllAndIsNamed(Fault fault) {
    for (String makes : List.of("one", "two")) {
      for (int nth = 1; nth < 12; nth += 5) {
        Adversary adversary = Adversary.none().inject(Site.SUBMIT, nth, fault);
        ReferenceOptions options = ReferenceOptions.of(0).patience(Duration.ofSeconds(1));
        Device healthy = new ReferenceDevice(options.plugin("one"));
        String make = makes.equals("one") ? "one" : "two";
        Device failing =
            new ReferenceDevice(
                new ReferenceOptions(
                    make, 7, 1 << 28, 1 << 28, 64, Duration.ofSeconds(1), adversary));
        failsCleanly(MetaDevice.even(List.of(healthy, failing)), make + ":7");
      }
    }
  }

  private static void failsCleanly(MetaDevice device, String name) {
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, device, OPTIONS);
        Sequence sequence = engine.sequence()) {
      ConsortException error =
          catchThrowableOfType(
              ConsortException.class,
              () -> {
                for (int i = 0; i < 20; i++) {
                  sequence.append(i);
                }
              });
      assertThat(error).isNotNull().hasMessageContaining(name);
      assertThat(engine.freeCells())
          .as("cells of the failed token")
          .isEqualTo(24 - sequence.length());
      assertThatThrownBy(() -> sequence.append(1)).isInstanceOf(ConsortException.class);
    }
  }

  @Test
  void aModelThatDoesNotFitLeavesNothingAllocated() {
    ReferenceDevice small = new ReferenceDevice(ReferenceOptions.of(0).memory(200_000, 200_000));
    long free = small.memory().free();
    try (Model model = TinyModel.dense()) {
      ConsortException error =
          catchThrowableOfType(
              ConsortException.class,
              () -> Engine.open(model, MetaDevice.even(List.of(small, small)), OPTIONS));
      assertThat(error.code()).isEqualTo(ErrorCode.OUT_OF_MEMORY);
      assertThat(small.memory().free()).isEqualTo(free);
    }
  }

  @Test
  void closingFreesAllMemory() {
    ReferenceDevice device = new ReferenceDevice(0);
    long free = device.memory().free();
    try (Model model = TinyModel.dense();
        Engine engine = Engine.open(model, MetaDevice.even(List.of(device, device)), OPTIONS)) {
      engine.sequence().append(PROMPT);
      assertThat(device.memory().free()).isLessThan(free);
    }
    assertThat(device.memory().free()).isEqualTo(free);
  }

  private static float[] floats(MemorySegment logits) {
    return logits.toArray(ValueLayout.JAVA_FLOAT);
  }

  private static void assertSame(float[] found, float[] expected, String what) {
    Comparison comparison = Comparison.of(expected, found);
    assertThat(comparison.within(1e-9)).as("%s: %s", what, comparison).isTrue();
  }
}
