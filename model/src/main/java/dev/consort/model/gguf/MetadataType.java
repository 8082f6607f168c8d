// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import java.util.Locale;
import java.util.Optional;

/** The types of metadata values; the numbers are the format's. */
public enum MetadataType {
  UINT8(1),
  INT8(1),
  UINT16(2),
  INT16(2),
  UINT32(4),
  INT32(4),
  FLOAT32(4),
  BOOL(1),
  STRING(0),
  ARRAY(0),
  UINT64(8),
  INT64(8),
  FLOAT64(8);

  private static final MetadataType[] BY_NUMBER = values();

  private final int bytes;

  MetadataType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one value; 0 for strings and arrays, whose length varies. */
  int bytes() {
    return bytes;
  }

  boolean isInteger() {
    return switch (this) {
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
      default -> false;
    };
  }

  boolean isReal() {
    return this == FLOAT32 || this == FLOAT64;
  }

  int number() {
    return ordinal();
  }

  static Optional<MetadataType> of(int number) {
    return number < 0 || number >= BY_NUMBER.length
        ? Optional.empty()
        : Optional.of(BY_NUMBER[number]);
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
