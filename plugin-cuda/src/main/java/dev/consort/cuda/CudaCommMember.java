// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.CommMember;

/** One stream's place in a comm. */
record CudaCommMember(CudaComm comm, int rank) implements CommMember {
  @Override
  public String toString() {
    return "member " + rank;
  }
}
