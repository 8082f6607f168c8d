// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.synth;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.Shape;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Which type each weight gets. The mixtures are those of llama.cpp's quantizer: the output head
 * and, in Q4_K_M and Q5_K_M, some layers' values and down projections get more bits; models of
 * eight experts keep keys and values in 8.
 */
public enum WeightMix {
  F32(DataType.F32, 0),
  F16(DataType.F16, 1),
  BF16(DataType.BF16, 32),
  Q8_0(DataType.Q8_0, 7),
  Q4_0(DataType.Q4_0, 2),
  Q4_K_M(DataType.Q4_K, 15),
  Q5_K_M(DataType.Q5_K, 17),
  Q6_K(DataType.Q6_K, 18);

  private static final int MANY_EXPERTS = 8;

  private final DataType base;
  private final int fileType;

  WeightMix(DataType base, int fileType) {
    this.base = base;
    this.fileType = fileType;
  }

  /**
   * The mix of that name, in any case.
   *
   * @throws ConsortException INVALID_ARGUMENT, listing those there are
   */
  public static WeightMix of(String name) {
    for (WeightMix mix : values()) {
      if (mix.name().equals(name.toUpperCase(Locale.ROOT))) {
        return mix;
      }
    }
    throw new ConsortException(
        ErrorCode.INVALID_ARGUMENT,
        "found type \"%s\", expected one of %s"
            .formatted(
                name,
                Arrays.stream(values())
                    .map(m -> m.name().toLowerCase(Locale.ROOT))
                    .collect(Collectors.joining(", "))));
  }

  /** The number of {@code general.file_type}. */
  public int fileType() {
    return fileType;
  }

  /**
   * The type of a weight.
   *
   * @param layer its layer, or -1
   */
  public DataType type(WeightRole role, int layer, Shape shape, MixTraits traits) {
    DataType type =
        !base.isQuantized() && role != WeightRole.NORM && role != WeightRole.ROUTER
            ? base
            : mixed(role, layer, traits);
    return fitting(type, shape.ne0());
  }

  private DataType mixed(WeightRole role, int layer, MixTraits traits) {
    boolean many = traits.experts() == MANY_EXPERTS;
    return switch (role) {
      case NORM, ROUTER -> DataType.F32;
      case OUTPUT -> base == DataType.Q8_0 ? base : DataType.Q6_K;
      case KEY -> many ? DataType.Q8_0 : base;
      case VALUE -> many ? DataType.Q8_0 : value(layer, traits);
      case ATTENTION_OUTPUT -> many && this == Q4_K_M ? DataType.Q5_K : base;
      case DOWN -> isMedium() && getsMoreBits(layer, traits.layers()) ? DataType.Q6_K : base;
      case EMBEDDING, OTHER -> base;
    };
  }

  private DataType value(int layer, MixTraits traits) {
    if (isMedium() && getsMoreBits(layer, traits.layers())) {
      return DataType.Q6_K;
    }
    return traits.sharedValues() && base == DataType.Q4_K ? DataType.Q5_K : base;
  }

  private boolean isMedium() {
    return this == Q4_K_M || this == Q5_K_M;
  }

  /** The first and last eighth of the layers, and every third between. */
  private static boolean getsMoreBits(int layer, int layers) {
    return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
  }

  /** What stands in for a type whose blocks don't fit a row. */
  private static DataType fitting(DataType type, long row) {
    if (row % type.blockElements() == 0) {
      return type;
    }
    DataType narrower =
        switch (type) {
          case Q4_K -> DataType.Q5_0;
          case Q5_K -> DataType.Q5_1;
          case Q6_K -> DataType.Q8_0;
          default -> DataType.F16;
        };
    return row % narrower.blockElements() == 0 ? narrower : DataType.F16;
  }
}
