// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.quantize;

import dev.consort.model.gguf.GgufTensor;
import dev.consort.model.synth.WeightRole;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a tensor of a file is for, by its name, as GGUF's conventions have it.
 *
 * @param layer the number in {@code blk.N.}, or -1
 */
record TensorKind(WeightRole role, int layer) {
  private static final String HEAD = "output.weight";
  private static final String EMBEDDING = "token_embd.weight";
  private static final Map<String, WeightRole> PARTS = new LinkedHashMap<>();

  static {
    PARTS.put("attn_qkv.weight", WeightRole.VALUE);
    PARTS.put("attn_v.weight", WeightRole.VALUE);
    PARTS.put("attn_k.weight", WeightRole.KEY);
    PARTS.put("attn_output.weight", WeightRole.ATTENTION_OUTPUT);
    PARTS.put("ffn_down", WeightRole.DOWN);
  }

  /** Empty for what keeps its type: vectors, norms, biases, routers. */
  static Optional<TensorKind> of(GgufTensor tensor, HeadOf head) {
    String name = tensor.name();
    boolean matrix =
        tensor.shape().lastAxis() > 0
            && name.endsWith("weight")
            && !name.contains("_norm.weight")
            && !name.contains("ffn_gate_inp.weight");
    return matrix ? Optional.of(new TensorKind(role(name, head), layer(name))) : Optional.empty();
  }

  /** Whether the model has a head of its own. */
  enum HeadOf {
    ITS_OWN,
    EMBEDDING
  }

  private static WeightRole role(String name, HeadOf head) {
    if (name.equals(HEAD)) {
      return WeightRole.OUTPUT;
    }
    if (name.equals(EMBEDDING)) {
      return head == HeadOf.EMBEDDING ? WeightRole.OUTPUT : WeightRole.EMBEDDING;
    }
    for (Map.Entry<String, WeightRole> part : PARTS.entrySet()) {
      if (name.contains(part.getKey())) {
        return part.getValue();
      }
    }
    return WeightRole.OTHER;
  }

  private static int layer(String name) {
    if (!name.startsWith("blk.")) {
      return -1;
    }
    int end = name.indexOf('.', 4);
    try {
      return end < 0 ? -1 : Integer.parseInt(name, 4, end, 10);
    } catch (NumberFormatException e) {
      return -1;
    }
  }
}
