// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Device;
import dev.consort.tck.Declaration.Exclusion.Kind;
import dev.consort.tck.cases.OperationCase;
import dev.consort.tck.cases.OperationCases;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.trace.HappensBeforeChecker;
import dev.consort.tck.trace.Trace;
import dev.consort.tck.trace.TracingDevice;
import dev.consort.tck.wrap.HidingDevice;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;

/**
 * A wrapped device is a device: what it shows works as if it were bare. And whatever the kit does
 * on it is in order, as the checker sees it.
 */
class TracedConformanceTest extends ConformanceTest {
  private static long traced;

  @AfterAll
  static void somethingWasTraced() {
    assertThat(traced).isPositive();
  }

  @Override
  protected Subject subject() {
    Trace trace = new Trace();
    Device device = wrap(0, trace);
    return new Subject() {
      @Override
      public Device device() {
        return device;
      }

      @Override
      public Declaration declaration() {
        return Declaration.everything()
            .exclude(
                "Lifecycle.whatWasClosedIsForgotten",
                Kind.UNSUPPORTED,
                "a trace keeps what it saw");
      }

      @Override
      public List<Device> members(int count) {
        return IntStream.range(0, count).mapToObj(index -> wrap(index, trace)).toList();
      }

      @Override
      public void close() {
        traced += trace.size();
        assertThat(HappensBeforeChecker.check(trace)).isEmpty();
      }
    };
  }

  private static Device wrap(int index, Trace trace) {
    return new TracingDevice(new HidingDevice(new ReferenceDevice(index), Set.of()), trace);
  }

  @Override
  protected Stream<OperationCase> operationCases() {
    return OperationCases.sharded().stream().limit(10);
  }
}
