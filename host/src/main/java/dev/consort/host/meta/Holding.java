// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

/** Bytes that one member of a meta device has, or will have, of a graph's weights and states. */
public record Holding(long weights, long states) {}
