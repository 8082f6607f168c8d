// SPDX-License-Identifier: Apache-2.0
/**
 * The meta device: one device made of several. {@link Sharding} decides how a graph's tensors lie
 * on the members, {@link MemberGraph} rewrites the graph for each of them, {@link MetaPlan} runs
 * the pieces and the exchanges between them.
 */
@NullMarked
package dev.consort.host.meta;

import org.jspecify.annotations.NullMarked;
