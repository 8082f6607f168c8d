// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Backend;
import dev.consort.api.BufferType;
import dev.consort.api.ExtraBufferTypes;
import dev.consort.api.Operation;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import dev.consort.tck.cases.OperationCase;
import dev.consort.tck.reference.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.opentest4j.TestAbortedException;

/** Runs operation cases on one backend of a subject and compares with the reference. */
public final class OperationCheck {
  private final Subject subject;
  private final Backend backend;

  public OperationCheck(Subject subject, Backend backend) {
    this.subject = subject;
    this.backend = backend;
  }

  /** Extra buffer types that take every weight of the case. */
  public List<BufferType> accepting(OperationCase test) {
    Optional<ExtraBufferTypes> extra = subject.device().find(ProcAddresses.EXTRA_BUFFER_TYPES);
    return extra.map(types -> accepting(types, test)).orElse(List.of());
  }

  /** The types that take every weight of the case, whoever reads it. */
  private static List<BufferType> accepting(ExtraBufferTypes extra, OperationCase test) {
    List<BufferType> accepting = new ArrayList<>();
    for (BufferType type : extra.bufferTypes()) {
      int weights = 0;
      boolean all = true;
      for (Tensor user : test.graph().nodes()) {
        for (Tensor source : user.sources()) {
          if (source.operation() instanceof Operation.Weight) {
            weights++;
            all &= extra.accepts(type, source, user).supported();
          }
        }
      }
      if (weights > 0 && all) {
        accepting.add(type);
      }
    }
    return accepting;
  }

  /**
   * Runs a case and throws an AssertionError if it fails, or a TestAbortedException if the device
   * may and does refuse it.
   *
   * @param weights the memory for the case's weights; the device's own without
   */
  public void run(OperationCase test, Optional<BufferType> weights) {
    try (CaseRunner runner = new CaseRunner(backend)) {
      Support support = runner.supports(test);
      if (!support.supported()) {
        assertThat(support.reason()).as("reason for refusing %s", test).isNotBlank();
        if (test.need() == OperationCase.Need.REQUIRED && isDeclared(test)) {
          throw new AssertionError(
              "%s is declared by %s and refused: %s"
                  .formatted(test, subject.device().info().id(), support.reason()));
        }
        runner.refuse(test);
        runner.carry(test);
        throw new TestAbortedException("not supported: " + support.reason());
      }
      CaseRunner.Outcome outcome = runner.run(test, weights);
      var expected = Reference.evaluate(test.graph(), test.data()).get(test.output().name());
      Comparison comparison = Comparison.of(test.output(), expected, outcome.output());
      if (!comparison.within(test.limit())) {
        throw new WrongResult(
            "%s on %s: %s; the limit is %s"
                .formatted(
                    test,
                    subject.device().info().id(),
                    comparison,
                    test.limit() == 0 ? "equal bits" : "NMSE " + test.limit()));
      }
      outcome
          .damage()
          .ifPresent(
              damage -> {
                throw new WrongResult(
                    "%s on %s: %s".formatted(test, subject.device().info().id(), damage));
              });
    }
  }

  /** Whether all that the case needs is declared; some have more operations than the one named. */
  private boolean isDeclared(OperationCase test) {
    Declaration declaration = subject.declaration();
    return declaration.declares(test.label(), test.type())
        && test.graph().nodes().stream()
            .filter(node -> !node.isView())
            .allMatch(node -> declaration.declares(node.operation().label()));
  }
}
