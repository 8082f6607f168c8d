// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.quantize;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.model.gguf.GgufFile;
import dev.consort.model.gguf.GgufTensor;
import dev.consort.model.gguf.GgufWriter;
import dev.consort.model.gguf.Metadata;
import dev.consort.model.gguf.WritePool;
import dev.consort.model.gguf.WriteProgress;
import dev.consort.model.quantize.QuantizeReport.Change;
import dev.consort.model.synth.MixTraits;
import dev.consort.model.synth.WeightMix;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Rewrites a model with the types of a {@link WeightMix}. Norms, biases and routers keep theirs, as
 * does everything that is no tensor. The file does not depend on the number of threads.
 */
public final class Quantizer {
  private static final int QUANTIZATION_VERSION = 2;
  private static final String VERSION_KEY = "general.quantization_version";
  private static final String TYPE_KEY = "general.file_type";

  /** Keys that speak of the file, not of the model. */
  private static final Set<String> OF_THE_FILE =
      Set.of(
          VERSION_KEY,
          TYPE_KEY,
          "general.alignment",
          "split.no",
          "split.count",
          "split.tensors.count");

  private static final long CHUNK_ELEMENTS = 1L << 19;

  /** What to do with weights that have lost bits already. */
  public enum Again {
    REFUSE,
    ALLOW
  }

  private final WeightMix mix;
  private final Again again;

  /** A run of whole blocks of one tensor. */
  record Chunk(GgufTensor from, DataType to, long first, long elements) {}

  public Quantizer(WeightMix mix, Again again) {
    this.mix = mix;
    this.again = again;
  }

  /**
   * Writes the file; blocks until it is there under its name. Nothing is left behind on failure.
   *
   * @throws ConsortException UNSUPPORTED for weights that are quantised already, INVALID_FILE for
   *     weights that are no numbers, IO if it can't be written or there is no room for it
   */
  public QuantizeReport write(GgufFile source, Path target, int threads, WriteProgress progress) {
    List<Chunk> chunks = new ArrayList<>();
    List<Change> changes = new ArrayList<>();
    MixTraits traits = traits(source);
    try (GgufWriter writer = GgufWriter.create(target)) {
      describe(source.metadata(), writer);
      for (GgufTensor tensor : source.tensors()) {
        DataType to = type(source, tensor, traits);
        changes.add(new Change(tensor.name(), tensor.shape(), tensor.type(), to));
        writer.tensor(tensor.name(), to, tensor.shape());
        cut(tensor, to, chunks);
      }
      writer.begin();
      QuantizeReport report = new QuantizeReport(changes);
      WritePool.run(
          chunks.size(),
          report.bytesAfter(),
          threads,
          progress,
          () -> new ChunkEncoder(source.path(), writer, chunks, CHUNK_ELEMENTS));
      writer.finish();
      return report;
    }
  }

  private void describe(Metadata metadata, GgufWriter writer) {
    metadata.keys().stream()
        .filter(key -> !OF_THE_FILE.contains(key))
        .forEach(key -> writer.copy(metadata, key));
    writer.integer(VERSION_KEY, QUANTIZATION_VERSION).integer(TYPE_KEY, mix.fileType());
  }

  private DataType type(GgufFile source, GgufTensor tensor, MixTraits traits) {
    TensorKind.HeadOf head =
        source.find("output.weight").isPresent()
            ? TensorKind.HeadOf.ITS_OWN
            : TensorKind.HeadOf.EMBEDDING;
    Optional<TensorKind> kind = TensorKind.of(tensor, head);
    if (kind.isEmpty()) {
      return tensor.type();
    }
    DataType to = mix.type(kind.get().role(), kind.get().layer(), tensor.shape(), traits);
    if (tensor.type().isQuantized() && to != tensor.type() && again == Again.REFUSE) {
      throw new ConsortException(
          ErrorCode.UNSUPPORTED,
          "%s: tensor %s is %s already, expected f32, f16 or bf16; start from the original model, or"
                  .formatted(source.path(), tensor.name(), tensor.type().label())
              + " allow the loss of quality (--allow-requantize)");
    }
    return to;
  }

  private static MixTraits traits(GgufFile source) {
    Metadata metadata = source.metadata();
    String architecture = metadata.string("general.architecture");
    String heads = architecture + ".attention.head_count";
    int layers = metadata.integer(architecture + ".block_count", 0, 1 << 14, 0);
    boolean shared =
        architecture.equals("llama")
            && layers == 80
            && !metadata.isArray(heads)
            && metadata.integer(heads, 0) != metadata.integer(heads + "_kv", 0);
    return new MixTraits(
        layers, metadata.integer(architecture + ".expert_count", 0, 1 << 14, 0), shared);
  }

  private static void cut(GgufTensor tensor, DataType to, List<Chunk> chunks) {
    long total = tensor.shape().elements();
    for (long at = 0; at < total; at += CHUNK_ELEMENTS) {
      chunks.add(new Chunk(tensor, to, at, Math.min(CHUNK_ELEMENTS, total - at)));
    }
  }
}
