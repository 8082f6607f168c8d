// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Device;
import dev.consort.api.WirePolicy;
import dev.consort.tck.ConformanceTest;
import dev.consort.tck.Declaration;
import dev.consort.tck.Subject;
import dev.consort.tck.cases.OperationCase;
import dev.consort.tck.cases.OperationCases;
import dev.consort.tck.reference.Adversary;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A meta device is a device: the kit passes on three members of two plugins, of uneven weights,
 * that do whatever the ordering contract allows.
 */
class MetaConformanceTest extends ConformanceTest {
  @Override
  protected Subject subject() {
    List<Device> members = List.of(member("alpha", 0), member("beta", 0), member("alpha", 1));
    Device device = new MetaDevice(members, new double[] {2, 1, 1}, Split.TENSOR, WirePolicy.EXACT);
    return Subject.of(device, Declaration.everything());
  }

  private static Device member(String plugin, int index) {
    return new ReferenceDevice(
        ReferenceOptions.of(index).plugin(plugin).adversary(Adversary.seeded(index + 3)));
  }

  /** All that declares shards, and a part of the rest, where there is nothing to split. */
  @Override
  protected Stream<OperationCase> operationCases() {
    List<OperationCase> single = OperationCases.single();
    return Stream.concat(
        OperationCases.sharded().stream(),
        IntStream.range(0, single.size()).filter(i -> i % 13 == 0).mapToObj(single::get));
  }
}
