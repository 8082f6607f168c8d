// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.host.Consort;
import dev.consort.tck.ConformanceTest;
import dev.consort.tck.Declaration;
import dev.consort.tck.Subject;
import dev.consort.tck.cases.OperationCase;
import dev.consort.tck.cases.OperationCases;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;

/** The kit passes on meta devices of real plugins. */
class RealMembersTest {
  private static final List<DataType> TYPES =
      List.of(
          DataType.F16, DataType.BF16, DataType.Q8_0, DataType.Q4_0, DataType.Q4_K, DataType.Q6_K);

  /** All that declares shards, and a part of the rest, where there is nothing to split. */
  abstract static class OnDevices extends ConformanceTest {
    private final String devices;

    OnDevices(String devices) {
      this.devices = devices;
    }

    @Override
    protected Subject subject() {
      Consort host = Consort.open();
      boolean vulkan =
          host.devices().stream().anyMatch(device -> device.info().name().contains("llvmpipe"));
      if (devices.contains("llvmpipe") && !vulkan) {
        host.close();
        assumeTrue(vulkan, "there is no llvmpipe here");
      }
      Device meta = MetaDevice.even(host.select(devices));
      return new Subject() {
        @Override
        public Device device() {
          return meta;
        }

        @Override
        public Declaration declaration() {
          return Declaration.operations(
              Declaration.OPERATIONS.stream()
                  .filter(name -> !name.equals("swiglu_limited"))
                  .toList(),
              TYPES);
        }

        @Override
        public void close() {
          host.close();
        }
      };
    }

    @Override
    protected Stream<OperationCase> operationCases() {
      List<OperationCase> single = OperationCases.single();
      return Stream.concat(
          OperationCases.sharded().stream(),
          IntStream.range(0, single.size()).filter(i -> i % 29 == 0).mapToObj(single::get));
    }
  }

  @Nested
  class ThreeProcessors extends OnDevices {
    ThreeProcessors() {
      super("cpu:0*3");
    }
  }

  @Nested
  class ProcessorAndVulkan extends OnDevices {
    ProcessorAndVulkan() {
      super("cpu:0,vulkan:llvmpipe");
    }
  }
}
