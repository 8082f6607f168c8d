// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.check;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * How far from the truth a model's logits may be. The measure is the distance of llama.cpp's CPU
 * backend, which quantises activations to 8 bits: 1.25 times that for dense models, twice for
 * experts, where a near tie in routing may fall the other way. F16 models must be within 1e-6.
 */
public final class ErrorLimit {
  private static final double DENSE = 1.25;
  private static final double EXPERTS = 2;

  /** Beginnings of names, the longest that fits counts; the peer's distance times the factor. */
  private static final Map<String, Double> LIMITS = new LinkedHashMap<>();

  static {
    LIMITS.put("llama-bf16", 2.9e-5 * DENSE);
    for (String type : new String[] {"q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "iq4_nl", "mxfp4"}) {
      LIMITS.put("llama-" + type, 3.9e-4 * DENSE);
    }
    for (String type : new String[] {"q2_k", "q3_k_m", "q4_k_m", "q5_k_m", "q6_k", "iq4_xs"}) {
      LIMITS.put("llama-" + type, 7.8e-4 * DENSE);
    }
    LIMITS.put("llama-moe-q8_0", 1.8e-3 * EXPERTS);
    LIMITS.put("llama-moe-q4_k_m", 1.1e-2 * EXPERTS);
    LIMITS.put("llama-wide-q4_k_m", 1.8e-3 * DENSE);
    LIMITS.put("qwen3moe-q8_0", 5.2e-3 * EXPERTS);
    LIMITS.put("qwen3moe-q4_k_m", 1.2e-3 * EXPERTS);
    LIMITS.put("qwen3moe-wide-q4_k_m", 4.6e-3 * EXPERTS);
    LIMITS.put("qwen3-wide-q5_k_m", 1.2e-3 * DENSE);
    for (String name : new String[] {"qwen2", "qwen3", "mistral3", "phi3", "gemma2"}) {
      LIMITS.put(name + "-q4_k_m", 1.2e-3 * DENSE);
    }
    LIMITS.put("gpt-oss-q8_0", 2.3e-3 * EXPERTS);
    LIMITS.put("gpt-oss-q4_k_m", 1.1e-2 * EXPERTS);
    LIMITS.put("gpt-oss-mxfp4", 5.0e-3 * EXPERTS);
    LIMITS.put("gpt-oss-wide-mxfp4", 7.5e-3 * EXPERTS);
  }

  private static final double HALF = 1e-6;

  /** For other models: the greatest of the measures of their kind. */
  private static final Map<String, Double> OTHERS = new LinkedHashMap<>();

  static {
    OTHERS.put("bf16", 2.9e-5 * DENSE);
    for (String type : new String[] {"q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "iq4_nl", "mxfp4"}) {
      OTHERS.put(type, 3.9e-4 * DENSE);
    }
    for (String type : new String[] {"q2_k", "q3_k_m", "q4_k_m", "q5_k_m", "q6_k", "iq4_xs"}) {
      OTHERS.put(type, 1.8e-3 * DENSE);
    }
  }

  private static final double OTHER_EXPERTS = 1.1e-2 * EXPERTS;

  private ErrorLimit() {}

  /**
   * The limit of a fixture by its name, which ends with the type of its weights.
   *
   * @param experts of the model, 0 for a dense one
   * @throws ConsortException UNSUPPORTED if no measure of it is known
   */
  public static double of(String name, int experts) {
    if (name.endsWith("-f16")) {
      return HALF;
    }
    return LIMITS.entrySet().stream()
        .filter(limit -> name.startsWith(limit.getKey()))
        .max(Comparator.comparingInt(limit -> limit.getKey().length()))
        .map(Map.Entry::getValue)
        .or(() -> other(name, experts))
        .orElseThrow(
            () ->
                new ConsortException(
                    ErrorCode.UNSUPPORTED,
                    "no measure is known for a fixture named %s, expected a name that ends with f16, %s"
                        .formatted(name, String.join(", ", OTHERS.keySet()))));
  }

  private static Optional<Double> other(String name, int experts) {
    String lower = name.toLowerCase(Locale.ROOT);
    return OTHERS.entrySet().stream()
        .filter(
            limit ->
                lower.endsWith("-" + limit.getKey()) || lower.endsWith(limit.getKey() + "_moe"))
        .map(limit -> experts > 0 ? OTHER_EXPERTS : limit.getValue())
        .findFirst();
  }

  /** Sum of squared differences over the sum of squares; infinite where a number is none. */
  public static double nmse(float[] found, float[] truth) {
    if (found.length != truth.length) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "%d logits can't be compared with %d".formatted(found.length, truth.length));
    }
    double error = 0;
    double size = 0;
    for (int i = 0; i < truth.length; i++) {
      double difference = (double) found[i] - truth[i];
      error += difference * difference;
      size += (double) truth[i] * truth[i];
    }
    return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error / size;
  }
}
