// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.lang.foreign.MemorySegment;

/**
 * An in-order stream of work on one device. Everything but {@link #synchronize()} and {@link
 * #close()} returns before the work is done where the device can. Calls on one backend come from
 * one thread at a time.
 *
 * <p>A host segment passed to {@link #set} or {@link #get} stays alive, and unchanged or unread,
 * until an event recorded after the call is done.
 *
 * <p>After the device failed every call throws DEVICE_FAILED. An error of work already accepted
 * surfaces at the next synchronizing call. The full contract is in {@code docs/ordering.md}.
 */
@Stable(since = "1.0")
public interface Backend extends AutoCloseable {
  Device device();

  /** How this backend wants to run the graph: order, parallel branches, fusions, scratch memory. */
  Schedule schedule(Graph graph);

  /**
   * Makes a plan. Every tensor that the schedule {@linkplain Schedule#stored stores}, every leaf,
   * and the scratch memory have a place in the allocation, which must outlive the plan.
   */
  Plan compile(Graph graph, Schedule schedule, Allocation allocation);

  /** Runs a plan that this backend compiled. */
  void submit(Plan plan);

  /**
   * Writes {@code from.byteSize()} bytes into a tensor. A transfer that reaches outside the tensor
   * is INVALID_ARGUMENT and changes nothing.
   *
   * @param to a contiguous tensor's storage on this device; one in a repacking buffer is written as
   *     a whole, at offset 0
   * @param offset bytes from the tensor's start
   */
  void set(Storage to, long offset, MemorySegment from);

  /** Reads {@code to.byteSize()} bytes of a contiguous tensor, from {@code offset} on. */
  void get(Storage from, long offset, MemorySegment to);

  /** Copies bytes between two tensors on this device, whose ranges do not overlap. */
  void copy(Storage from, long fromOffset, Storage to, long toOffset, long bytes);

  /** Marks this point of the stream; replaces what the event stood for before. */
  void record(Event event);

  /**
   * What is submitted from now on starts after the event's latest recording is done. Returns at
   * once for an event that was never recorded.
   *
   * @throws ConsortException UNSUPPORTED for an event of another plugin; the host bridges these
   */
  void await(Event event);

  /** Blocks until everything submitted so far is done, and throws its errors. */
  void synchronize();

  /** Waits for pending work, or cancels it if the device failed, and releases the stream. */
  @Override
  void close();
}
