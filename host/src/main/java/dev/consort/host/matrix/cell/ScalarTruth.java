// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.check.Feeding;
import dev.consort.host.check.Fixture;
import dev.consort.host.check.LogitsRun;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.plugin.UserDirectories;
import dev.consort.model.Model;
import dev.consort.tck.reference.ReferenceDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The logits of a model by the kit's scalar reference, which is slow and on no vendor's side. Kept
 * in the cache directory.
 */
final class ScalarTruth {
  private static final int TOKENS = 12;
  private static final long LARGEST = 64L << 20;

  private ScalarTruth() {}

  /**
   * The logits for {@link Fixture#tokens}.
   *
   * @throws ConsortException UNSUPPORTED for models that it would take too long for
   */
  static float[] of(Path file, Model model) {
    Kit.require();
    try {
      if (Files.size(file) > LARGEST) {
        throw new ConsortException(
            ErrorCode.UNSUPPORTED,
            "%s has no .logits beside it and is too large for the scalar reference; write its"
                    .formatted(file.getFileName())
                + " true logits with another program");
      }
      Path kept =
          UserDirectories.privateDirectory("matrix/truth")
              .resolve("%s-%d.logits".formatted(checksum(file), TOKENS));
      if (!Files.exists(kept)) {
        keep(kept, compute(model));
      }
      return new Fixture(file.toString(), file, kept).truth(model);
    } catch (IOException e) {
      throw new ConsortException(ErrorCode.IO, "%s can't be read: %s".formatted(file, e), e);
    }
  }

  private static float[] compute(Model model) {
    int[] tokens = Fixture.tokens(TOKENS, model.parameters().vocabulary());
    MetaDevice scalar = MetaDevice.even(List.of(new ReferenceDevice(0)));
    return LogitsRun.logits(model, scalar, tokens, Feeding.BATCH);
  }

  private static void keep(Path kept, float[] logits) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(logits.length * Float.BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(logits);
    Path partial = Files.createTempFile(kept.getParent(), "truth", ".part");
    Files.write(partial, bytes.array());
    Files.move(partial, kept, StandardCopyOption.ATOMIC_MOVE);
  }

  private static String checksum(Path file) throws IOException {
    CRC32C sum = new CRC32C();
    try (FileChannel channel = FileChannel.open(file)) {
      sum.update(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
    }
    return "%08x-%d".formatted(sum.getValue(), Files.size(file));
  }
}
