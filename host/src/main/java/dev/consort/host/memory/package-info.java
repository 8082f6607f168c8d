// SPDX-License-Identifier: Apache-2.0
/**
 * Places a graph's intermediate tensors in memory, sharing it where the schedule proves it safe.
 */
@NullMarked
package dev.consort.host.memory;

import org.jspecify.annotations.NullMarked;
