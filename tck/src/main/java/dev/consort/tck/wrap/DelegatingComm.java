// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.wrap;

import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.CommMember;
import dev.consort.api.Storage;
import dev.consort.api.WirePolicy;
import java.util.List;

/** A comm of wrapped backends. Its member handles are the other comm's own. */
public class DelegatingComm implements Comm {
  private final Comm delegate;
  private final List<Backend> members;

  protected DelegatingComm(Comm delegate, List<Backend> members) {
    this.delegate = delegate;
    this.members = List.copyOf(members);
  }

  @Override
  public final List<Backend> members() {
    return members;
  }

  @Override
  public WirePolicy wire() {
    return delegate.wire();
  }

  @Override
  public void allreduce(List<Storage> partials) {
    delegate.allreduce(partials);
  }

  @Override
  public boolean records() {
    return delegate.records();
  }

  @Override
  public CommMember member(int rank) {
    return delegate.member(rank);
  }

  @Override
  public void close() {
    delegate.close();
  }
}
