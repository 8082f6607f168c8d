// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.model.gguf.Metadata;
import java.util.Optional;

/** A model's metadata under its architecture's prefix. */
public record Keys(Metadata metadata, String architecture) {

  public String name(String key) {
    return architecture + "." + key;
  }

  public boolean has(String key) {
    return metadata.has(name(key));
  }

  /** A number from 1 to {@code most}; must be there. */
  int count(String key, int most) {
    return metadata.integer(name(key), 1, most);
  }

  /** A number from 0 to {@code most}, or the default. */
  int count(String key, int most, int otherwise) {
    return metadata.integer(name(key), 0, most, otherwise);
  }

  public float real(String key, float otherwise) {
    return finite(key, metadata.real(name(key), otherwise));
  }

  public float real(String key) {
    return finite(key, metadata.real(name(key)));
  }

  /**
   * Refuses a model that needs something that is not known here.
   *
   * @throws ConsortException UNSUPPORTED if the key is there and not 0
   */
  void refuse(String key) {
    if (real(key, 0) != 0) {
      throw new ConsortException(
          ErrorCode.UNSUPPORTED,
          "metadata key %s is %s, expected none: this kind of %s can't be run; choose another"
              .formatted(name(key), real(key), architecture));
    }
  }

  boolean flag(String key, boolean otherwise) {
    return metadata.flag(name(key), otherwise);
  }

  Optional<String> string(String key) {
    return has(key) ? Optional.of(metadata.string(name(key))) : Optional.empty();
  }

  /** A count that some files give for each layer; all layers must have the same. */
  int uniformCount(String key, int most, int otherwise) {
    if (!metadata.isArray(name(key))) {
      return count(key, most, otherwise);
    }
    int[] each = metadata.integers(name(key));
    for (int value : each) {
      if (value != each[0] || value < 1 || value > most) {
        throw metadata.invalid(
            name(key), "different from layer to layer", "one number from 1 to " + most);
      }
    }
    return each.length == 0 ? otherwise : each[0];
  }

  private float finite(String key, float value) {
    if (!Float.isFinite(value)) {
      throw metadata.invalid(name(key), String.valueOf(value), "a finite number");
    }
    return value;
  }
}
