// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/**
 * Which messages travel in which format. Depends on size alone, so that every run of the same model
 * gives the same numbers.
 *
 * @param bf16FromElements messages of at least this many elements travel as BF16
 */
@Stable(since = "1.0")
public record WirePolicy(long bf16FromElements) {
  /** Always F32. */
  public static final WirePolicy EXACT = new WirePolicy(Long.MAX_VALUE);

  public WirePolicy {
    if (bf16FromElements < 0) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found BF16 from %d elements on, expected 0 or more".formatted(bf16FromElements));
    }
  }

  public Wire wire(long elements) {
    return elements >= bf16FromElements ? Wire.BF16 : Wire.F32;
  }

  @Override
  public String toString() {
    return bf16FromElements == Long.MAX_VALUE
        ? "F32"
        : "F32, BF16 from " + bf16FromElements + " elements";
  }
}
