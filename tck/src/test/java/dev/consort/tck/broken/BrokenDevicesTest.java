// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.broken;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.consort.api.DataType;
import dev.consort.tck.Declaration;
import dev.consort.tck.Declaration.Exclusion.Kind;
import dev.consort.tck.broken.BrokenKit.Buffers;
import dev.consort.tck.broken.BrokenKit.Collectives;
import dev.consort.tck.broken.BrokenKit.Concurrency;
import dev.consort.tck.broken.BrokenKit.Hostile;
import dev.consort.tck.broken.BrokenKit.Lifecycle;
import dev.consort.tck.broken.BrokenKit.Operations;
import dev.consort.tck.broken.BrokenKit.Ordering;
import dev.consort.tck.broken.BrokenKit.Plans;
import dev.consort.tck.broken.BrokenKit.Registration;
import dev.consort.tck.broken.BrokenKit.Transfers;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

/** The kit is tested: each defect is caught by the test that is meant for it. */
class BrokenDevicesTest {
  private final Map<String, String> failures = new TreeMap<>();
  private static final List<String> TABLE = new ArrayList<>();
  private long aborted;

  private void run(Class<?> part, Defect defect) {
    run(part, defect, Declaration.everything());
  }

  private void run(Class<?> part, Defect defect, Declaration declaration) {
    BrokenKit.defect = defect;
    BrokenKit.declaration = declaration;
    EngineExecutionResults results =
        EngineTestKit.engine("junit-jupiter").selectors(selectClass(part)).execute();
    aborted = results.testEvents().aborted().count();
    results.testEvents().failed().stream()
        .forEach(
            event ->
                failures.put(
                    event.getTestDescriptor().getParent().orElseThrow().getDisplayName()
                        + " "
                        + event.getTestDescriptor().getDisplayName(),
                    message(event)));
  }

  private static String message(Event event) {
    return event
        .getRequiredPayload(TestExecutionResult.class)
        .getThrowable()
        .map(Throwable::getMessage)
        .orElse("");
  }

  private String failureOf(String test) {
    return failures.entrySet().stream()
        .filter(failure -> failure.getKey().contains(test))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElseThrow(() -> new AssertionError(test + " did not fail; these did: " + failures));
  }

  /** Each defect, the part of the kit that is run, the test that must fail, and what it says. */
  static List<Arguments> defects() {
    return List.of(
        caught(
            Defect.WRONG_RESULT,
            Operations.class,
            "mat_mul q4_0 [256,16] [256,7]",
            "reference:0: NMSE",
            "the worst at 1",
            "found 1000.0",
            "limit is NMSE 5.0E-4"),
        caught(
            Defect.WRITES_PAST_THE_END,
            Operations.class,
            "sum f32 [7] ",
            "byte 0 behind the end of sum sum%"),
        caught(
            Defect.REFUSES_AND_COMPILES,
            Operations.class,
            "mat_mul q4_0 [256,16] [256,2]",
            "what compiling"),
        caught(
            Defect.REFUSES_IN_SILENCE,
            Operations.class,
            "mat_mul q4_0 [256,16] [256,2]",
            "reason for refusing"),
        caught(
            Defect.AWAIT_DOES_NOTHING,
            Ordering.class,
            "aBackendWaitsForTheWorkOfAnother",
            "Expect"),
        caught(
            Defect.EVENTS_ARE_DONE_AT_ONCE,
            Ordering.class,
            "hostMemoryMayBeReusedOnceAnEventAfterTheCallIsDone"),
        caught(Defect.CLOSING_DROPS_WORK, Ordering.class, "closingABackendWaitsForItsWork"),
        caught(Defect.INPUTS_ARE_KEPT, Plans.class, "aPlanGivesNewResultsForNewInputs"),
        caught(
            Defect.RUNS_DIFFER,
            Plans.class,
            "equalInputsGiveEqualBits",
            "byte that differs in run"),
        caught(
            Defect.MEMBERS_DIFFER, Collectives.class, "allMembersEndWithTheSameSum", "on member 1"),
        caught(Defect.REDUCES_DIFFER, Collectives.class, "repeatedReducesGiveEqualBits", "turn 1"),
        caught(Defect.COPIES_TOO_LITTLE, Transfers.class, "copiesMoveJustTheirBytes"),
        caught(Defect.OFFSETS_ARE_IGNORED, Transfers.class, "setAndGetWorkAtAnyOffsetAndLength"),
        caught(Defect.STRIDES_ARE_IGNORED, Transfers.class, "settingARectangleIsAsSettingItsRows"),
        caught(Defect.ODD_ALIGNMENT, Buffers.class, "alignmentIsAPowerOfTwo"),
        caught(
            Defect.LEAKS_MEMORY,
            Lifecycle.class,
            "memoryReportsReturnToTheStart",
            "bytes less free memory after 32 buffers"),
        caught(Defect.LEAKS_THREADS, Lifecycle.class, "threadsDoNotAddUp", "threads after"),
        caught(Defect.KEEPS_PLANS, Lifecycle.class, "whatWasClosedIsForgotten", "BrokenPlan"),
        caught(Defect.CLOSED_PLANS_RUN, Hostile.class, "aClosedPlanIsNotRun"),
        caught(Defect.NEGATIVE_OFFSETS_WORK, Hostile.class, "transfersOutsideATensorAreRefused"),
        caught(
            Defect.SHARES_STAGING,
            Concurrency.class,
            "streamsAreMadeUsedAndClosedOnManyThreadsAtOnce"),
        caught(
            Defect.NUMBERED_FROM_ONE,
            Registration.class,
            "devicesAreNumberedAndNamed",
            "reference:0"),
        caught(
            Defect.VERSIONS_ARE_IGNORED,
            Registration.class,
            "capabilitiesAreFoundByNameAndMajorVersion",
            "in version 99"));
  }

  private static Arguments caught(Defect defect, Class<?> part, String test, String... words) {
    return Arguments.of(defect, part, test, List.of(words));
  }

  @ParameterizedTest(name = "{0} by {2}")
  @MethodSource("defects")
  void eachDefectIsCaughtByTheTestThatIsMeantForIt(
      Defect defect, Class<?> part, String test, List<String> words) {
    boolean undeclared = defect == Defect.REFUSES_AND_COMPILES;
    run(
        part,
        defect,
        undeclared
            ? Declaration.operations(List.of("mat_mul"), List.of())
            : Declaration.everything());
    String message = failureOf(test);
    words.forEach(word -> assertThat(message).contains(word));
    TABLE.add(
        "| %s | `%s.%s` | %d |"
            .formatted(
                defect.name().toLowerCase(Locale.ROOT).replace('_', ' '),
                part.getSimpleName(),
                test.strip(),
                failures.size()));
  }

  @AfterAll
  static void printTheTable() {
    System.out.println("| defect | caught by | failing tests in that part |\n| --- | --- | --- |");
    TABLE.forEach(System.out::println);
  }

  @Test
  void everyDefectIsInTheTable() {
    Set<Object> rows =
        defects().stream().map(row -> row.get()[0]).collect(Collectors.toCollection(HashSet::new));
    rows.addAll(List.of(Defect.NONE, Defect.REFUSES));
    assertThat(rows).containsExactlyInAnyOrder((Object[]) Defect.values());
  }

  @ParameterizedTest
  @ValueSource(
      classes = {
        Registration.class,
        Operations.class,
        Ordering.class,
        Plans.class,
        Collectives.class,
        Buffers.class,
        Transfers.class,
        Lifecycle.class,
        Hostile.class,
        Concurrency.class
      })
  void nothingIsFoundWhereNothingIsWrong(Class<?> part) {
    run(part, Defect.NONE);
    assertThat(failures).isEmpty();
    assertThat(aborted).isZero();
  }

  @Test
  void aWrongElementIsFoundWhereItIsAndNowhereElse() {
    run(Operations.class, Defect.WRONG_RESULT);
    assertThat(failures.keySet()).allMatch(test -> test.contains("mat_mul q4_0 [256,16] [256,7]"));
  }

  @Test
  void refusingWhatIsDeclaredIsAFailure() {
    run(Operations.class, Defect.REFUSES);
    assertThat(failureOf("mat_mul q4_0 [256,16] [256,2]"))
        .contains("declared by reference:0 and refused: not made for this");
  }

  @Test
  void refusingWhatIsNotDeclaredIsReportedAndNoFailure() {
    run(Operations.class, Defect.REFUSES, Declaration.operations(List.of("mat_mul"), List.of()));
    assertThat(failures).isEmpty();
    assertThat(aborted).isGreaterThan(10);
  }

  @Test
  void anExclusionThatIsNotNeededIsAFailure() {
    run(
        Operations.class,
        Defect.NONE,
        Declaration.everything()
            .exclude("mat_mul q4_0 [256,16] [256,7]", Kind.EXPECTED_FAILURE, "rounds"));
    assertThat(failureOf("mat_mul q4_0 [256,16] [256,7]"))
        .contains("rounds", "remove the exclusion");
  }

  @Test
  void anExclusionThatIsNeededIsReportedAndNoFailure() {
    run(
        Operations.class,
        Defect.WRONG_RESULT,
        Declaration.operations(Declaration.OPERATIONS, List.of(DataType.Q4_0))
            .exclude("mat_mul q4_0 [256,16] [256,7]", Kind.EXPECTED_FAILURE, "rounds"));
    assertThat(failures).isEmpty();
    assertThat(aborted).isPositive();
  }

  @Test
  void somethingUnsupportedForGoodMayBeRefusedThoughItIsDeclared() {
    run(
        Operations.class,
        Defect.REFUSES,
        Declaration.everything().exclude("mat_mul q4_0", Kind.UNSUPPORTED, "F32 only"));
    assertThat(failures).isEmpty();
    assertThat(aborted).isPositive();
  }

  @Test
  void nothingExcusesAWrongResultForGood() {
    run(
        Operations.class,
        Defect.WRONG_RESULT,
        Declaration.everything().exclude("[256,16] [256,7]", Kind.UNSUPPORTED, "rounds"));
    assertThat(failureOf("mat_mul q4_0 [256,16] [256,7]")).contains("found 1000.0");
  }

  @Test
  void wholeTestsMayBeExcluded() {
    run(
        Ordering.class,
        Defect.CLOSING_DROPS_WORK,
        Declaration.everything()
            .exclude("Ordering.closingABackend", Kind.EXPECTED_FAILURE, "drops its last copy"));
    assertThat(failures).isEmpty();
    assertThat(aborted).isEqualTo(1);
  }
}
