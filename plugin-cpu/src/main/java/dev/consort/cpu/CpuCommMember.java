// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.CommMember;

/** One stream's place in a comm. */
record CpuCommMember(CpuComm comm, int rank) implements CommMember {
  @Override
  public String toString() {
    return "member " + rank;
  }
}
