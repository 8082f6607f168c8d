// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Backend;
import dev.consort.api.Device;
import dev.consort.api.ProcAddress;
import dev.consort.api.ProcAddresses;
import dev.consort.api.WirePolicy;
import dev.consort.tck.Declaration;
import dev.consort.tck.OperationCheck;
import dev.consort.tck.Subject;
import dev.consort.tck.cases.OperationCase;
import dev.consort.tck.cases.OperationCases;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import dev.consort.tck.wrap.HidingDevice;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Whatever capability the members lack, the host's fallback gives the same results. */
class HiddenCapabilityTest {
  static final List<ProcAddress<?>> ADDRESSES = ProcAddresses.all();

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void theKitPassesWithoutIt(ProcAddress<?> hidden) {
    List<Device> members =
        List.of(member("alpha", 0, hidden), member("alpha", 1, hidden), member("beta", 0, hidden));
    Device device = new MetaDevice(members, new double[] {1, 1, 2}, Split.TENSOR, WirePolicy.EXACT);
    List<OperationCase> cases = OperationCases.sharded();
    try (Backend backend = device.createBackend()) {
      OperationCheck check =
          new OperationCheck(Subject.of(device, Declaration.everything()), backend);
      for (int i = 0; i < cases.size(); i += 4) {
        check.run(cases.get(i), Optional.empty());
      }
    }
  }

  private static Device member(String plugin, int index, ProcAddress<?> hidden) {
    ReferenceDevice bare = new ReferenceDevice(ReferenceOptions.of(index).plugin(plugin));
    return new HidingDevice(bare, hidden);
  }
}
