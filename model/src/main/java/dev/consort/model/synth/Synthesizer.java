// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.synth;

import dev.consort.api.DataType;
import dev.consort.model.gguf.GgufWriter;
import dev.consort.model.gguf.WritePool;
import dev.consort.model.gguf.WriteProgress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a model with random weights. The same geometry, mix and seed give the same file on any
 * number of threads.
 */
public final class Synthesizer {
  private static final long CHUNK_BYTES = 4L << 20;

  private final Geometry geometry;
  private final WeightMix mix;
  private final long seed;
  private final Map<PoolKey, BlockPool> pools = new HashMap<>();

  private record PoolKey(DataType type, float mean, float deviation) {}

  private record Chunk(WeightSpec weight, BlockPool pool, long offset, long bytes, long seed) {}

  public Synthesizer(Geometry geometry, WeightMix mix, long seed) {
    this.geometry = geometry;
    this.mix = mix;
    this.seed = seed;
  }

  /**
   * Writes the file; blocks until it is there under its name. Nothing is left behind on failure.
   *
   * @throws dev.consort.api.ConsortException IO if it can't be written or there is no room for it
   */
  public void write(Path target, int threads, WriteProgress progress) {
    try (GgufWriter writer = GgufWriter.create(target)) {
      describe(writer);
      List<WeightSpec> weights = WeightSpec.of(geometry);
      weights.forEach(w -> writer.tensor(w.name(), type(w), w.shape()));
      writer.begin();
      List<Chunk> chunks = new ArrayList<>();
      weights.forEach(w -> cut(w, chunks));
      long total = chunks.stream().mapToLong(Chunk::bytes).sum();
      WritePool.run(chunks.size(), total, threads, progress, () -> new Filler(writer, chunks));
      writer.finish();
    }
  }

  private DataType type(WeightSpec weight) {
    var traits = new MixTraits(geometry.layers(), geometry.experts(), false);
    return mix.type(weight.role(), weight.layer(), weight.shape(), traits);
  }

  private void describe(GgufWriter writer) {
    Geometry g = geometry;
    String arch = g.architecture();
    writer
        .string("general.architecture", arch)
        .string("general.name", "random weights")
        .integer(arch + ".context_length", g.context())
        .integer(arch + ".embedding_length", g.embedding())
        .integer(arch + ".block_count", g.layers())
        .integer(arch + ".feed_forward_length", g.feedForward())
        .integer(arch + ".attention.head_count", g.heads())
        .integer(arch + ".attention.head_count_kv", g.kvHeads())
        .integer(arch + ".attention.key_length", g.headLength())
        .integer(arch + ".attention.value_length", g.headLength())
        .real(arch + ".attention.layer_norm_rms_epsilon", 1e-5f)
        .integer(arch + ".vocab_size", g.vocabulary())
        .integer(arch + ".rope.dimension_count", g.headLength())
        .real(arch + ".rope.freq_base", 500_000);
    if (g.experts() > 0) {
      writer
          .integer(arch + ".expert_count", g.experts())
          .integer(arch + ".expert_used_count", g.expertsUsed())
          .integer(arch + ".expert_feed_forward_length", g.feedForward());
    }
    writer.integer("general.quantization_version", 2);
    writer.integer("general.file_type", mix.fileType());
    DummyVocabulary.write(writer, g.vocabulary());
  }

  private void cut(WeightSpec weight, List<Chunk> chunks) {
    DataType type = type(weight);
    boolean norm = weight.role() == WeightRole.NORM;
    float deviation = norm ? 0.02f : (float) (1 / Math.sqrt(weight.shape().ne0()));
    BlockPool pool =
        pools.computeIfAbsent(
            new PoolKey(type, norm ? 1 : 0, deviation),
            k -> new BlockPool(k.type(), k.mean(), k.deviation(), seed + pools.size()));
    long total = type.bytes(weight.shape().ne0()) * weight.shape().rows();
    long each = CHUNK_BYTES / type.blockBytes() * type.blockBytes();
    for (long at = 0; at < total; at += each) {
      long own = seed * 31 + chunks.size();
      chunks.add(new Chunk(weight, pool, at, Math.min(each, total - at), own));
    }
  }

  /** Fills chunks in a buffer of its own. */
  private static final class Filler implements WritePool.Worker {
    private final GgufWriter writer;
    private final List<Chunk> chunks;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment buffer = arena.allocate(CHUNK_BYTES);

    Filler(GgufWriter writer, List<Chunk> chunks) {
      this.writer = writer;
      this.chunks = chunks;
    }

    @Override
    public long make(int piece) {
      Chunk chunk = chunks.get(piece);
      MemorySegment bytes = buffer.asSlice(0, chunk.bytes());
      chunk.pool().fill(bytes, chunk.seed());
      writer.write(chunk.weight().name(), chunk.offset(), bytes);
      return chunk.bytes();
    }

    @Override
    public void close() {
      arena.close();
    }
  }
}
