// SPDX-License-Identifier: Apache-2.0
/**
 * Proves that memory is used in order: a device that records what is asked of it, a checker with
 * vector clocks over that record, and a checker of allocations against schedules.
 */
@NullMarked
package dev.consort.tck.trace;

import org.jspecify.annotations.NullMarked;
