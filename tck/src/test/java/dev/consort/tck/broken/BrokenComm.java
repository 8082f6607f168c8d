// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.broken;

import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.Storage;
import dev.consort.tck.wrap.DelegatingComm;
import java.util.List;

/** A comm whose members end with other bytes than they should. */
final class BrokenComm extends DelegatingComm {
  private final Defect defect;
  private int reduces;

  BrokenComm(Comm delegate, List<Backend> members, Defect defect) {
    super(delegate, members);
    this.defect = defect;
  }

  @Override
  public void allreduce(List<Storage> partials) {
    super.allreduce(partials);
    reduces++;
    for (int rank = 0; rank < partials.size(); rank++) {
      boolean spoil =
          switch (defect) {
            case MEMBERS_DIFFER -> rank == 1;
            case REDUCES_DIFFER -> reduces % 2 == 0;
            default -> false;
          };
      if (spoil && partials.get(rank).tensor().bytes() > 0) {
        BrokenBackend.flipLastBit(members().get(rank), partials.get(rank));
      }
    }
  }
}
