// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.List;

/**
 * A group of backends that can reduce together. Each element is summed in member order with an F32
 * accumulator, and all members end with the same bytes. A collective is one joint point in every
 * member's stream; if it fails, every member has failed. A member that does not arrive becomes an
 * error that names it; no wait is unbounded.
 */
@Experimental(since = "1.0")
public interface Comm extends AutoCloseable {
  /** The members, in rank order. */
  List<Backend> members();

  WirePolicy wire();

  /**
   * Enqueues a sum on every member's stream; returns before it is done.
   *
   * @param partials one contiguous F32 tensor a member, all with the same number of elements; each
   *     holds the sum afterwards
   */
  void allreduce(List<Storage> partials);

  /**
   * Whether {@link Operation.AllReduce} may stand in graphs that the members compile. If not, and
   * the comm joins all members of a meta device, the host calls {@link #allreduce} between their
   * plans.
   */
  boolean records();

  /** The handle to put into {@link Operation.AllReduce}. */
  CommMember member(int rank);

  @Override
  void close();
}
