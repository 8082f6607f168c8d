// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Storage;
import dev.consort.host.meta.MemberPieces;
import dev.consort.host.meta.MetaBackend;
import dev.consort.host.meta.MetaDevice;
import java.util.ArrayList;
import java.util.List;

/** Finds out how a model lies on its devices. */
final class Reports {
  private Reports() {}

  static EngineReport of(
      MetaDevice device, Backend backend, Graph graph, List<Allocation> places, int context) {
    List<MemberReport> members = new ArrayList<>();
    for (int m = 0; m < device.members().size(); m++) {
      members.add(member(device, m, places));
    }
    boolean meta = backend instanceof MetaBackend;
    return new EngineReport(
        List.copyOf(members),
        device.split(),
        device.wire(),
        context,
        meta ? ((MetaBackend) backend).reduces(graph) : 0,
        meta ? ((MetaBackend) backend).notes(graph) : List.of());
  }

  private static MemberReport member(MetaDevice device, int member, List<Allocation> places) {
    Device of = device.members().get(member);
    long split = 0;
    long mirrored = 0;
    long cache = 0;
    for (Allocation allocation : places) {
      for (Storage storage : allocation.storages()) {
        Operation operation = storage.tensor().operation();
        long bytes = MemberPieces.bytes(device, storage, member);
        if (operation instanceof Operation.State) {
          cache += bytes;
        } else if (operation instanceof Operation.Weight) {
          boolean whole = MemberPieces.isMirrored(storage);
          split += whole ? 0 : bytes;
          mirrored += whole ? bytes : 0;
        }
      }
    }
    return new MemberReport(of.info().id(), of.info().name(), split, mirrored, cache);
  }
}
