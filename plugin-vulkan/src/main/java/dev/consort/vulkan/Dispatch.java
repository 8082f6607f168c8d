// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import java.util.List;

/**
 * One compute dispatch.
 *
 * @param push the push constants
 * @param x workgroups
 * @param reads what the shader reads, for the barriers
 * @param writes what it writes
 */
record Dispatch(
    long pipeline, int[] push, long x, long y, long z, List<Place> reads, List<Place> writes) {}
