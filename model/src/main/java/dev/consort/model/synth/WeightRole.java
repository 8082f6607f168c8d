// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.synth;

/** What a weight is for; its type in a {@link WeightMix} follows from that. */
public enum WeightRole {
  NORM,
  ROUTER,
  EMBEDDING,
  /** The head, or an embedding that also serves as one. */
  OUTPUT,
  KEY,
  /** Also a weight that holds queries, keys and values together. */
  VALUE,
  ATTENTION_OUTPUT,
  DOWN,
  OTHER
}
