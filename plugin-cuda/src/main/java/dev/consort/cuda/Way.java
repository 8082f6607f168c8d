// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import java.util.Locale;

/**
 * How a sum over members travels: all of every term to everybody in one shot, or to the owners of
 * slices and back in two; with its number beside the data in every packet of 16 bytes, or with a
 * flag behind it. The sums are the same bits.
 */
enum Way {
  ONE_SHOT_PACKETS(256),
  TWO_SHOT_PACKETS(256),
  ONE_SHOT_FLAGS(512),
  TWO_SHOT_FLAGS(512);

  private final int threads;

  Way(int threads) {
    this.threads = threads;
  }

  /** Of a block of its kernel. */
  int threads() {
    return threads;
  }

  boolean isOneShot() {
    return this == ONE_SHOT_PACKETS || this == ONE_SHOT_FLAGS;
  }

  boolean hasPackets() {
    return this == ONE_SHOT_PACKETS || this == TWO_SHOT_PACKETS;
  }

  /** Its kernel's name, without the type on the wire. */
  String kernel() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** As users write it. */
  String label() {
    return kernel().replace('_', '-');
  }
}
