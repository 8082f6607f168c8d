// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Operation.Rope;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The architectures there are, by name. */
public final class Architectures {
  private static final Map<String, Architecture> ALL = new TreeMap<>();

  static {
    for (Architecture architecture :
        List.of(
            new Llama("llama", Rope.Mode.NORM, "ffn_norm", List.of()),
            new Llama("mistral3", Rope.Mode.NORM, "ffn_norm", List.of()),
            new Llama("qwen2", Rope.Mode.NEOX, "ffn_norm", List.of()),
            new Llama("qwen3", Rope.Mode.NEOX, "ffn_norm", AttentionBlock.NORMS),
            new Llama("qwen3moe", Rope.Mode.NEOX, "ffn_norm", AttentionBlock.NORMS),
            new Llama("phi3", Rope.Mode.NEOX, "ffn_norm", List.of()),
            new Llama("seed_oss", Rope.Mode.NEOX, "post_attention_norm", List.of()),
            new GptOss(),
            new Gemma2(),
            new Gemma3(),
            new Granite(),
            new SmolLm3())) {
      ALL.put(architecture.name(), architecture);
    }
  }

  private Architectures() {}

  /** All names, sorted. */
  public static List<String> names() {
    return List.copyOf(ALL.keySet());
  }

  /**
   * The architecture of that name.
   *
   * @param file the model's file, for the error's text
   * @throws ConsortException UNSUPPORTED, listing those that exist
   */
  public static Architecture of(String file, String name) {
    Architecture found = ALL.get(name);
    if (found == null) {
      throw new ConsortException(
          ErrorCode.UNSUPPORTED,
          "%s: found architecture \"%s\", expected one of %s; choose another model"
              .formatted(file, name, String.join(", ", ALL.keySet())));
    }
    return found;
  }
}
