// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.consort.api.Backend;
import dev.consort.api.BufferType;
import dev.consort.tck.cases.OperationCase;
import dev.consort.tck.cases.OperationCases;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/**
 * Every operation with every type and class of shapes against the scalar reference. What the device
 * declares must work; what it does not it may refuse, which aborts the case with the device's
 * reason, once compiling it was refused as well and its data were carried to another device and
 * back. Where it does not refuse, the result must be right.
 */
public abstract class OperationTests extends KitTest {
  private static final Duration LONGEST = Duration.ofSeconds(60);

  private Optional<Backend> backend = Optional.empty();

  /** The cases to run; all unless overridden. */
  protected Stream<OperationCase> cases() {
    return Stream.concat(OperationCases.single().stream(), OperationCases.sharded().stream());
  }

  @BeforeAll
  void openBackend() {
    backend = Optional.of(device().createBackend());
  }

  @AfterAll
  void closeBackend() {
    backend.ifPresent(Backend::close);
  }

  @TestFactory
  Stream<DynamicTest> matchesTheReference() {
    OperationCheck check = new OperationCheck(tested(), backend.orElseThrow());
    return cases()
        .flatMap(
            test -> {
              List<DynamicTest> variants = new ArrayList<>();
              variants.add(dynamic(test.name(), () -> check.run(test, Optional.empty())));
              for (BufferType extra : check.accepting(test)) {
                variants.add(
                    dynamic(
                        test.name() + " in " + extra.name(),
                        () -> check.run(test, Optional.of(extra))));
              }
              return variants.stream();
            });
  }

  /** A case that hangs fails; the class's time limit holds for the factory alone. */
  private static DynamicTest dynamic(String name, Executable body) {
    return DynamicTest.dynamicTest(name, () -> assertTimeoutPreemptively(LONGEST, body));
  }
}
