// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.api.Device;
import dev.consort.tck.cases.OperationCase;
import dev.consort.tck.cases.OperationCases;
import dev.consort.tck.reference.Adversary;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** An adversary keeps to the contract, so the kit must find nothing wrong with it. */
class AdversarialConformanceTest extends ConformanceTest {
  @Override
  protected Subject subject() {
    Device device = device(0);
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
      public List<Device> members(int count) {
        return IntStream.range(0, count).mapToObj(AdversarialConformanceTest::device).toList();
      }
    };
  }

  /** The arithmetic is the reference's; what matters here is the order of things. */
  @Override
  protected Stream<OperationCase> operationCases() {
    return OperationCases.sharded().stream();
  }

  private static Device device(int index) {
    return new ReferenceDevice(ReferenceOptions.of(index).adversary(Adversary.seeded(11)));
  }
}
