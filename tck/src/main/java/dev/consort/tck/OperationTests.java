// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.api.Backend;
import dev.consort.api.BufferType;
import dev.consort.tck.cases.OperationCase;
import dev.consort.tck.cases.OperationCases;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/**
 * Every operation with every type and class of shapes against the scalar reference. What the device
 * declares must work; what it does not it may refuse, which aborts the case with the device's
 * reason; where it does not refuse, the result must be right. Excluded cases must fail.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class OperationTests {
  private Subject subject;
  private Backend backend;

  /** What is tested. */
  protected abstract Subject subject();

  /** The cases to run; all unless overridden. */
  protected Stream<OperationCase> cases() {
    return Stream.concat(OperationCases.single().stream(), OperationCases.sharded().stream());
  }

  @BeforeAll
  void open() {
    subject = subject();
    backend = subject.device().createBackend();
  }

  /** Runs also where {@link #subject()} skipped the whole class. */
  @AfterAll
  void close() {
    try (Subject closing = subject) {
      if (backend != null) {
        backend.close();
      }
    }
  }

  @TestFactory
  Stream<DynamicTest> matchesTheReference() {
    OperationCheck check = new OperationCheck(subject, backend);
    return cases()
        .flatMap(
            test -> {
              List<DynamicTest> variants = new ArrayList<>();
              variants.add(
                  DynamicTest.dynamicTest(test.name(), () -> check.run(test, Optional.empty())));
              for (BufferType extra : check.accepting(test)) {
                variants.add(
                    DynamicTest.dynamicTest(
                        test.name() + " in " + extra.name(),
                        () -> check.run(test, Optional.of(extra))));
              }
              return variants.stream();
            });
  }
}
