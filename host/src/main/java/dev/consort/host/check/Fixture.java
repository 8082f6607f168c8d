// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.check;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.model.Model;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A model with the logits that it should give, in {@code NAME.gguf} and {@code NAME.logits}:
 * little-endian F32 [tokens][vocabulary] for the tokens of {@link #tokens}.
 */
public record Fixture(String name, Path model, Path logits) {

  /**
   * The fixtures of a folder, by name.
   *
   * @throws ConsortException NOT_FOUND if it holds none, IO
   */
  public static List<Fixture> in(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      List<Fixture> found =
          files
              .filter(file -> file.toString().endsWith(".logits"))
              .sorted()
              .map(Fixture::of)
              .filter(fixture -> Files.exists(fixture.model()))
              .toList();
      if (found.isEmpty()) {
        throw new ConsortException(
            ErrorCode.NOT_FOUND,
            "%s holds no model NAME.gguf with its logits in NAME.logits; name a folder of fixtures"
                .formatted(folder));
      }
      return found;
    } catch (IOException e) {
      throw new ConsortException(
          Files.exists(folder) ? ErrorCode.IO : ErrorCode.NOT_FOUND,
          "the folder %s can't be read: %s".formatted(folder, e),
          e);
    }
  }

  private static Fixture of(Path logits) {
    String name = logits.getFileName().toString().replaceFirst("\\.logits$", "");
    return new Fixture(name, logits.resolveSibling(name + ".gguf"), logits);
  }

  /**
   * The truth.
   *
   * @throws ConsortException IO; INVALID_FILE if it is no whole number of rows
   */
  public float[] truth(Model open) {
    try {
      byte[] bytes = Files.readAllBytes(logits);
      int row = open.parameters().vocabulary() * Float.BYTES;
      if (bytes.length == 0 || bytes.length % row != 0) {
        throw new ConsortException(
            ErrorCode.INVALID_FILE,
            "%s has %d bytes, which are no rows of %d logits; fetch it again"
                .formatted(logits, bytes.length, open.parameters().vocabulary()));
      }
      float[] truth = new float[bytes.length / Float.BYTES];
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(truth);
      return truth;
    } catch (IOException e) {
      throw new ConsortException(ErrorCode.IO, logits + " can't be read: " + e, e);
    }
  }

  /** The tokens that the truth was computed for. */
  public static int[] tokens(int count, int vocabulary) {
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = (31 * i * i + 17 * i + 7) % vocabulary;
    }
    return tokens;
  }
}
