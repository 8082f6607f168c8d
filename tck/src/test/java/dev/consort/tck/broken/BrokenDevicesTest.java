// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.broken;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.consort.api.DataType;
import dev.consort.tck.Declaration;
import dev.consort.tck.broken.BrokenDevice.Defect;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

/** The kit is tested: each defect is caught by the test that is meant for it. */
class BrokenDevicesTest {
  private final Map<String, String> failures = new TreeMap<>();
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

  @Test
  void nothingIsFoundWhereNothingIsWrong() {
    for (Class<?> part :
        List.of(
            BrokenKit.Operations.class,
            BrokenKit.Ordering.class,
            BrokenKit.Plans.class,
            BrokenKit.Collectives.class,
            BrokenKit.Buffers.class,
            BrokenKit.Transfers.class)) {
      run(part, Defect.NONE);
      assertThat(failures).isEmpty();
      assertThat(aborted).isZero();
    }
  }

  @Test
  void aWrongElementIsReportedWithOperationTypeShapesErrorAndPlace() {
    run(BrokenKit.Operations.class, Defect.WRONG_RESULT);
    assertThat(failureOf("mat_mul q4_0 [256,16] [256,7]"))
        .contains("reference:0", "NMSE", "the worst at 1", "found 1000.0", "limit is NMSE 5.0E-4");
    assertThat(failures.keySet()).allMatch(test -> test.contains("mat_mul q4_0 [256,16] [256,7]"));
  }

  @Test
  void anAwaitThatDoesNotWaitIsCaught() {
    run(BrokenKit.Ordering.class, Defect.AWAIT_DOES_NOTHING);
    assertThat(failureOf("aBackendWaitsForTheWorkOfAnother")).contains("Expect");
  }

  @Test
  void eventsThatAreDoneTooEarlyAreCaught() {
    run(BrokenKit.Ordering.class, Defect.EVENTS_ARE_DONE_AT_ONCE);
    failureOf("hostMemoryMayBeReusedOnceAnEventAfterTheCallIsDone");
  }

  @Test
  void aByteBehindTheEndIsCaught() {
    run(BrokenKit.Operations.class, Defect.WRITES_PAST_THE_END);
    assertThat(failureOf("sum f32 [7] ")).contains("byte 0 behind the end of sum sum%");
  }

  @Test
  void membersThatDisagreeInOneBitAreCaught() {
    run(BrokenKit.Collectives.class, Defect.MEMBERS_DIFFER);
    assertThat(failureOf("allMembersEndWithTheSameSum")).contains("on member 1");
  }

  @Test
  void reducesThatDifferFromTurnToTurnAreCaught() {
    run(BrokenKit.Collectives.class, Defect.REDUCES_DIFFER);
    assertThat(failureOf("repeatedReducesGiveEqualBits")).contains("turn 1");
  }

  @Test
  void inputsThatAreReadOnceOnlyAreCaught() {
    run(BrokenKit.Plans.class, Defect.INPUTS_ARE_KEPT);
    failureOf("aPlanGivesNewResultsForNewInputs");
  }

  @Test
  void refusingWhatIsDeclaredIsAFailure() {
    run(BrokenKit.Operations.class, Defect.REFUSES);
    assertThat(failureOf("mat_mul q4_0 [256,16] [256,2]"))
        .contains("declared by reference:0 and refused: not made for this");
  }

  @Test
  void refusingWhatIsNotDeclaredIsReportedAndNoFailure() {
    run(
        BrokenKit.Operations.class,
        Defect.REFUSES,
        Declaration.operations(List.of("mat_mul"), List.of()));
    assertThat(failures).isEmpty();
    assertThat(aborted).isGreaterThan(10);
  }

  @Test
  void anExclusionThatIsNotNeededIsAFailure() {
    run(
        BrokenKit.Operations.class,
        Defect.NONE,
        Declaration.everything().exclude("mat_mul q4_0 [256,16] [256,7]", "rounds"));
    assertThat(failureOf("mat_mul q4_0 [256,16] [256,7]"))
        .contains("rounds", "remove the exclusion");
  }

  @Test
  void anExclusionThatIsNeededIsReportedAndNoFailure() {
    run(
        BrokenKit.Operations.class,
        Defect.WRONG_RESULT,
        Declaration.operations(Declaration.OPERATIONS, List.of(DataType.Q4_0))
            .exclude("mat_mul q4_0 [256,16] [256,7]", "rounds"));
    assertThat(failures).isEmpty();
    assertThat(aborted).isPositive();
  }
}
