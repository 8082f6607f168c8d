// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Device;
import dev.consort.api.WirePolicy;
import dev.consort.tck.Declaration;
import dev.consort.tck.OperationTests;
import dev.consort.tck.Subject;
import dev.consort.tck.cases.OperationCase;
import dev.consort.tck.cases.OperationCases;
import dev.consort.tck.reference.Adversary;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import dev.consort.tck.trace.HappensBeforeChecker;
import dev.consort.tck.trace.Trace;
import dev.consort.tck.trace.TracingDevice;
import java.util.List;
import java.util.stream.Stream;

/** What a meta device asks of its members is in order by the contract, not by luck. */
class TracedMetaTest extends OperationTests {
  @Override
  protected Subject subject() {
    Trace trace = new Trace();
    List<Device> members =
        List.of(member("alpha", 0, trace), member("alpha", 1, trace), member("beta", 0, trace));
    Device device = new MetaDevice(members, new double[] {1, 2, 1}, Split.TENSOR, WirePolicy.EXACT);
    return new Subject() {
      @Override
      public Device device() {
        return device;
      }

      @Override
      public Declaration declaration() {
        return Declaration.everything();
      }

      @Override
      public void close() {
        assertThat(trace.size()).isPositive();
        assertThat(HappensBeforeChecker.check(trace)).isEmpty();
      }
    };
  }

  private static Device member(String plugin, int index, Trace trace) {
    ReferenceOptions options = ReferenceOptions.of(index).plugin(plugin);
    return new TracingDevice(
        new ReferenceDevice(options.adversary(Adversary.seeded(index))), trace);
  }

  @Override
  protected Stream<OperationCase> cases() {
    return OperationCases.sharded().stream();
  }
}
