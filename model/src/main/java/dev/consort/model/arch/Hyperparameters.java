// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.Shape;
import dev.consort.model.gguf.GgufFile;
import dev.consort.model.gguf.Metadata;
import java.util.Optional;

/**
 * The numbers that every architecture has.
 *
 * @param context tokens the model was trained for
 * @param experts 0 for dense models
 * @param epsilon of the RMS norms
 * @param window of the layers with sliding attention, 0 for none
 * @param temperature of attention, for models that have one
 * @param vocabulary rows of the token embedding
 */
public record Hyperparameters(
    String architecture,
    int layers,
    int context,
    int embedding,
    int heads,
    int kvHeads,
    int keyLength,
    int valueLength,
    int experts,
    int expertsUsed,
    float epsilon,
    int window,
    Optional<Temperature> temperature,
    int vocabulary) {

  static final String EMBEDDING = "token_embd.weight";
  private static final int MOST = 1 << 24;

  /**
   * Reads them.
   *
   * @throws dev.consort.api.ConsortException INVALID_FILE if one is missing or can't be
   */
  public static Hyperparameters read(GgufFile file, String architecture) {
    Keys keys = new Keys(file.metadata(), architecture);
    int embedding = keys.count("embedding_length", MOST);
    int heads = required(keys, "attention.head_count");
    int kvHeads = keys.uniformCount("attention.head_count_kv", heads, heads);
    require(
        keys,
        "attention.head_count_kv",
        kvHeads,
        kvHeads > 0 && heads % kvHeads == 0,
        "a divisor of the %d heads".formatted(heads));
    int length = keys.has("attention.key_length") ? 0 : wholeLength(keys, embedding, heads);
    int experts = keys.count("expert_count", 4096, 0);
    int used = keys.count("expert_used_count", 4096, 0);
    require(
        keys,
        "expert_used_count",
        used,
        experts == 0 || used >= 1 && used <= experts,
        "a number from 1 to the %d experts".formatted(experts));
    int keyLength = keys.count("attention.key_length", 65_536, length);
    int valueLength = keys.count("attention.value_length", 65_536, keyLength);
    require(keys, "attention.key_length", keyLength, keyLength > 0 && keyLength % 2 == 0, "even");
    require(keys, "attention.value_length", valueLength, valueLength > 0, "at least 1");
    Shape table = file.tensor(EMBEDDING).shape();
    require(
        keys,
        "embedding_length",
        embedding,
        table.equals(Shape.of(embedding, table.ne1())),
        "axis 0 of %s, which has shape %s".formatted(EMBEDDING, table));
    return new Hyperparameters(
        architecture,
        keys.count("block_count", 16_384),
        keys.count("context_length", 1 << 30),
        embedding,
        heads,
        kvHeads,
        keyLength,
        valueLength,
        experts,
        used,
        keys.real("attention.layer_norm_rms_epsilon"),
        keys.count("attention.sliding_window", Integer.MAX_VALUE, 0),
        Temperature.read(keys),
        Math.toIntExact(table.ne1()));
  }

  /** Query heads for each key/value head. */
  public int groupSize() {
    return heads / kvHeads;
  }

  private static int required(Keys keys, String key) {
    Metadata metadata = keys.metadata();
    return metadata.isArray(keys.name(key))
        ? keys.uniformCount(key, 65_536, 0)
        : keys.count(key, 65_536);
  }

  private static int wholeLength(Keys keys, int embedding, int heads) {
    require(
        keys,
        "attention.head_count",
        heads,
        embedding % heads == 0,
        "a divisor of embedding_length %d".formatted(embedding));
    return embedding / heads;
  }

  private static void require(Keys keys, String key, int found, boolean holds, String expected) {
    if (!holds) {
      throw keys.metadata().invalid(keys.name(key), String.valueOf(found), expected);
    }
  }
}
