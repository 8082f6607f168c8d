// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.Tensor;
import dev.consort.model.Model;
import dev.consort.model.gguf.GgufTensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/**
 * Tells whether a saved cache belongs to a model: SHA-256 over the architecture, the caches' names,
 * types and rows, and of every weight its name, type, shape and first bytes.
 */
final class ModelFingerprint {
  static final int BYTES = 32;
  private static final int SAMPLE = 1024;

  private ModelFingerprint() {}

  /**
   * @param states the caches, [length, heads, cells]; the number of cells does not matter
   */
  static byte[] of(Model model, List<Tensor> states) {
    MessageDigest digest = sha256();
    put(digest, model.parameters().toString());
    for (Tensor state : states) {
      put(
          digest,
          "%s %s %d %d"
              .formatted(
                  state.name(), state.type().label(), state.shape().ne0(), state.shape().ne1()));
    }
    for (GgufTensor weight : model.file().tensors()) {
      put(digest, weight.toString());
      MemorySegment data = weight.data();
      digest.update(data.asSlice(0, Math.min(SAMPLE, data.byteSize())).asByteBuffer());
    }
    return digest.digest();
  }

  private static void put(MessageDigest digest, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(utf8.length).flip());
    digest.update(utf8);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
