// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/** How numbers travel in a collective; sums are always F32. */
@Stable(since = "1.0")
public enum Wire {
  F32,
  /** Half the bytes, with F32's range. */
  BF16
}
