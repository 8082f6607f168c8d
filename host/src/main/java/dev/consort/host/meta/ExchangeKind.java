// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

/** What members exchange, and what it does to the tensor. */
enum ExchangeKind {
  /** Terms of a sum become the sum, everywhere. */
  REDUCE,
  /** Slices become the whole, everywhere. */
  GATHER,
  /** The first member's bytes replace those of the others. */
  BROADCAST,
  /** A stage's tensor goes to a later stage. */
  HAND_OVER
}
