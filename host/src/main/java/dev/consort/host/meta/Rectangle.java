// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

/**
 * Where a member's bytes lie in the whole tensor: {@code rows} runs of {@code rowBytes} bytes, at
 * {@code fullOffset + i * fullStride} of the whole and {@code localOffset + i * localStride} of the
 * member's piece.
 */
record Rectangle(
    long fullOffset,
    long fullStride,
    long localOffset,
    long localStride,
    long rowBytes,
    long rows) {

  /** One run for everything. */
  static Rectangle whole(long bytes) {
    return new Rectangle(0, bytes, 0, bytes, bytes, 1);
  }
}
