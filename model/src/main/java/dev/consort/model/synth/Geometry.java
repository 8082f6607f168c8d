// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.synth;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The size of a model: {@code llama}, or {@code qwen3moe} where there are experts.
 *
 * @param headLength elements of a head
 * @param feedForward inner elements of the feed-forward part, or of each expert
 * @param experts 0 for a dense model
 */
public record Geometry(
    int layers,
    int embedding,
    int heads,
    int kvHeads,
    int headLength,
    int feedForward,
    int vocabulary,
    int context,
    int experts,
    int expertsUsed) {
  private static final Map<String, Geometry> PRESETS =
      new TreeMap<>(
          Map.of(
              "1.1b", dense(16, 2048, 32, 8, 8192, 32_000),
              "8b", dense(32, 4096, 32, 8, 14_336, 128_256),
              "70b", dense(80, 8192, 64, 8, 28_672, 128_256),
              "30b-a3b", new Geometry(48, 2048, 32, 4, 128, 768, 151_936, 8192, 128, 8)));

  public Geometry {
    require("layers", layers, 1, 16_384);
    require("embedding", embedding, 32, 1 << 24);
    require("heads", heads, 1, 65_536);
    require("kvHeads", kvHeads, 1, heads);
    require("headLength", headLength, 2, 65_536);
    require("feedForward", feedForward, 32, 1 << 24);
    require("vocabulary", vocabulary, 1, 1 << 24);
    require("context", context, 1, 1 << 30);
    require("experts", experts, 0, 4096);
    require("expertsUsed", expertsUsed, experts == 0 ? 0 : 1, experts);
    if (heads % kvHeads != 0 || embedding % 32 != 0 || feedForward % 32 != 0) {
      throw invalid(
          "%d heads, %d kv heads, embedding %d, feed-forward %d"
              .formatted(heads, kvHeads, embedding, feedForward),
          "kv heads that divide the heads, and sizes that are multiples of 32");
    }
    if (headLength % 2 != 0 || (long) heads * headLength % 32 != 0) {
      throw invalid("head length " + headLength, "even, with all heads a multiple of 32");
    }
  }

  /** A dense model whose heads share out the embedding. */
  public static Geometry dense(
      int layers, int embedding, int heads, int kvHeads, int feedForward, int vocabulary) {
    return new Geometry(
        layers,
        embedding,
        heads,
        kvHeads,
        embedding / Math.max(1, heads),
        feedForward,
        vocabulary,
        8192,
        0,
        0);
  }

  /** Names of well-known sizes. */
  public static List<String> presets() {
    return List.copyOf(PRESETS.keySet());
  }

  /**
   * A well-known size.
   *
   * @throws ConsortException NOT_FOUND, listing those there are
   */
  public static Geometry preset(String name) {
    Geometry found = PRESETS.get(name.toLowerCase(Locale.ROOT));
    if (found == null) {
      throw new ConsortException(
          ErrorCode.NOT_FOUND,
          "found size \"%s\", expected one of %s".formatted(name, String.join(", ", presets())));
    }
    return found;
  }

  public String architecture() {
    return experts == 0 ? "llama" : "qwen3moe";
  }

  private static void require(String name, int found, int least, int most) {
    if (found < least || found > most) {
      throw invalid(name + " " + found, "a number from " + least + " to " + most);
    }
  }

  private static ConsortException invalid(String found, String expected) {
    return new ConsortException(
        ErrorCode.INVALID_ARGUMENT, "found " + found + ", expected " + expected);
  }
}
