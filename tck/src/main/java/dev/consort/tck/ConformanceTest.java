// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.tck.cases.OperationCase;
import dev.consort.tck.cases.OperationCases;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;

/**
 * The whole kit. A vendor's test is one class:
 *
 * <pre>{@code
 * class MyDeviceTest extends ConformanceTest {
 *   protected Subject subject() {
 *     return Subject.of(
 *         MyProvider::new, Declaration.operations(Declaration.OPERATIONS, List.of(F16, Q8_0)));
 *   }
 * }
 * }</pre>
 *
 * <p>Each part asks for a subject of its own and closes it. Parts that need a capability which the
 * device has not are aborted, and say so.
 */
public abstract class ConformanceTest {
  /** What is tested; asked for once by every part. */
  protected abstract Subject subject();

  /** The operation cases to run; all unless overridden. */
  protected Stream<OperationCase> operationCases() {
    return Stream.concat(OperationCases.single().stream(), OperationCases.sharded().stream());
  }

  @Nested
  class Registration extends RegistrationTests {
    @Override
    protected Subject subject() {
      return ConformanceTest.this.subject();
    }
  }

  @Nested
  class Operations extends OperationTests {
    @Override
    protected Subject subject() {
      return ConformanceTest.this.subject();
    }

    @Override
    protected Stream<OperationCase> cases() {
      return operationCases();
    }
  }

  @Nested
  class Buffers extends BufferTests {
    @Override
    protected Subject subject() {
      return ConformanceTest.this.subject();
    }
  }

  @Nested
  class Transfers extends TransferTests {
    @Override
    protected Subject subject() {
      return ConformanceTest.this.subject();
    }
  }

  @Nested
  class Ordering extends OrderingTests {
    @Override
    protected Subject subject() {
      return ConformanceTest.this.subject();
    }
  }

  @Nested
  class Plans extends PlanTests {
    @Override
    protected Subject subject() {
      return ConformanceTest.this.subject();
    }
  }

  @Nested
  class Collectives extends CollectiveTests {
    @Override
    protected Subject subject() {
      return ConformanceTest.this.subject();
    }
  }

  @Nested
  class Lifecycle extends LifecycleTests {
    @Override
    protected Subject subject() {
      return ConformanceTest.this.subject();
    }
  }

  @Nested
  class Hostile extends HostileTests {
    @Override
    protected Subject subject() {
      return ConformanceTest.this.subject();
    }
  }

  @Nested
  class Concurrency extends ConcurrencyTests {
    @Override
    protected Subject subject() {
      return ConformanceTest.this.subject();
    }
  }
}
