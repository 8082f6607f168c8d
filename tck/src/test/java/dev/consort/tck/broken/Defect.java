// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.broken;

/** What can be wrong with a device. */
enum Defect {
  NONE,
  /** Products of Q4_0 weights with seven columns have one wrong element. */
  WRONG_RESULT,
  /** A byte behind the end of each sum is written. */
  WRITES_PAST_THE_END,
  /** Everything but products of F32 is refused. */
  REFUSES,
  /** The same, but compiling it is not refused. */
  REFUSES_AND_COMPILES,
  /** The same, without a reason. */
  REFUSES_IN_SILENCE,
  /** A backend does not wait for events. */
  AWAIT_DOES_NOTHING,
  /** Events say at once that they are done. */
  EVENTS_ARE_DONE_AT_ONCE,
  /** Closing a backend drops its last copy. */
  CLOSING_DROPS_WORK,
  /** Only the first data written to an input count. */
  INPUTS_ARE_KEPT,
  /** The last bit of a plan's result changes from run to run. */
  RUNS_DIFFER,
  /** One member's sum differs in its last bit. */
  MEMBERS_DIFFER,
  /** The last bit of all sums changes from reduce to reduce. */
  REDUCES_DIFFER,
  /** Copies move a byte less than they should. */
  COPIES_TOO_LITTLE,
  /** Sets begin at the tensor's start. */
  OFFSETS_ARE_IGNORED,
  /** Rectangles have no gaps between their rows on the device. */
  STRIDES_ARE_IGNORED,
  /** Tensors are said to start at multiples of 48. */
  ODD_ALIGNMENT,
  /** Each buffer leaves another behind. */
  LEAKS_MEMORY,
  /** Each backend leaves a thread behind. */
  LEAKS_THREADS,
  /** The device holds on to its closed plans. */
  KEEPS_PLANS,
  /** A closed plan runs. */
  CLOSED_PLANS_RUN,
  /** Bytes before a tensor can be read. */
  NEGATIVE_OFFSETS_WORK,
  /** All backends share one staging buffer, without a lock. */
  SHARES_STAGING,
  /** Devices are numbered from one. */
  NUMBERED_FROM_ONE,
  /** Capabilities are found in every version. */
  VERSIONS_ARE_IGNORED
}
