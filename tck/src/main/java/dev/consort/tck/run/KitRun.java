// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.run;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectNestedClass;

import dev.consort.tck.ConformanceTest;
import dev.consort.tck.Declaration.Exclusion;
import dev.consort.tck.Subject;
import dev.consort.tck.cases.OperationCase;
import dev.consort.tck.cases.OperationCases;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs sections of the kit on a subject. Only one run at a time in a process. */
public final class KitRun {
  private static final Object ONE_AT_A_TIME = new Object();

  /** The kit on the subject of the run that is under way. */
  static final class Kit extends ConformanceTest {
    private static volatile Optional<Supplier<Subject>> maker = Optional.empty();
    private static volatile Optional<String> done = Optional.empty();

    @Override
    protected Subject subject() {
      return maker.orElseThrow().get();
    }

    @Override
    protected Stream<OperationCase> operationCases() {
      List<OperationCase> all = super.operationCases().toList();
      int next =
          done.map(last -> all.stream().map(OperationCase::name).toList().indexOf(last) + 1)
              .orElse(0);
      return all.stream().skip(next);
    }
  }

  private KitRun() {}

  /** The sections' names, in the order in which they are best run. */
  public static List<String> sections() {
    return List.of(
        "Registration",
        "Buffers",
        "Transfers",
        "Ordering",
        "Plans",
        "Operations",
        "Collectives",
        "Lifecycle",
        "Hostile",
        "Concurrency");
  }

  /** About how many tests all sections have. */
  public static int size() {
    return OperationCases.single().size() + OperationCases.sharded().size() + 130;
  }

  /**
   * Runs one section; blocks.
   *
   * @param subject asked for once by the section
   * @param after operation cases up to this one are left out, as they were run before
   */
  public static void run(
      String section, Supplier<Subject> subject, Optional<String> after, KitListener listener) {
    synchronized (ONE_AT_A_TIME) {
      Kit.maker = Optional.of(subject);
      Kit.done = after;
      LauncherDiscoveryRequest request =
          LauncherDiscoveryRequestBuilder.request()
              .selectors(selectNestedClass(List.of(Kit.class), classOf(section)))
              .configurationParameter("junit.jupiter.extensions.autodetection.enabled", "false")
              .build();
      LauncherFactory.create().execute(request, new Adapter(section, listener));
    }
  }

  private static Class<?> classOf(String section) {
    return Arrays.stream(ConformanceTest.class.getDeclaredClasses())
        .filter(type -> type.isAnnotationPresent(Nested.class))
        .filter(type -> type.getSimpleName().equals(section))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "found section %s, expected one of %s".formatted(section, sections())));
  }

  /** From JUnit's words to the kit's. */
  private static final class Adapter implements TestExecutionListener {
    private final String section;
    private final KitListener listener;
    private final Map<String, Long> starts = new ConcurrentHashMap<>();

    Adapter(String section, KitListener listener) {
      this.section = section;
      this.listener = listener;
    }

    @Override
    public void executionStarted(TestIdentifier test) {
      starts.put(test.getUniqueId(), System.nanoTime());
      if (test.isTest()) {
        listener.started(section, name(test));
      }
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
      boolean quiet = result.getStatus() == TestExecutionResult.Status.SUCCESSFUL;
      if (test.isTest() || !quiet) {
        long start = starts.getOrDefault(test.getUniqueId(), System.nanoTime());
        Duration time = Duration.ofNanos(System.nanoTime() - start);
        String reason = result.getThrowable().map(Adapter::words).orElse("");
        listener.finished(
            new KitResult(section, name(test), verdict(result, reason), reason, time));
      }
    }

    private static Verdict verdict(TestExecutionResult result, String reason) {
      return switch (result.getStatus()) {
        case SUCCESSFUL -> Verdict.PASSED;
        case FAILED -> Verdict.FAILED;
        case ABORTED ->
            reason.startsWith(Exclusion.Kind.EXPECTED_FAILURE.label())
                ? Verdict.EXPECTED_FAILURE
                : Verdict.UNSUPPORTED;
      };
    }

    private static String words(Throwable error) {
      String message = error.getMessage();
      String text = message == null || message.isBlank() ? error.toString() : message;
      return text.strip().replaceAll("\\s+", " ");
    }

    private static String name(TestIdentifier test) {
      if (!test.isTest()) {
        return "preparing " + test.getDisplayName();
      }
      String shown = test.getDisplayName();
      return test.getSource()
          .filter(MethodSource.class::isInstance)
          .map(source -> ((MethodSource) source).getMethodName())
          .filter(method -> !test.getUniqueId().contains("dynamic-test"))
          .map(method -> shown.startsWith(method) ? method : method + " " + shown)
          .orElse(shown);
    }
  }
}
