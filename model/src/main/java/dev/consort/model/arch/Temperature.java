// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import java.util.Optional;

/**
 * How much sharper a model attends the further a text goes: queries are multiplied by {@code 1 +
 * scale * log(1 + floor(position / length))}, as in Llama 4 and Ministral 3.
 *
 * @param length positions over which the factor stays the same
 */
public record Temperature(float scale, int length) {

  static Optional<Temperature> read(Keys keys) {
    float scale = keys.real("attention.temperature_scale", 0);
    return scale == 0
        ? Optional.empty()
        : Optional.of(new Temperature(scale, RopeReader.originalContext(keys)));
  }

  /** The factor of the queries at a position. */
  public float at(int position) {
    return (float) (1 + scale * Math.log1p(Math.floorDiv(position, length)));
  }
}
