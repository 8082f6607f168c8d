// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.quantize;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.quant.Codec;
import dev.consort.model.gguf.GgufWriter;
import dev.consort.model.gguf.WritePool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;

/** One thread's part of quantising: decodes chunks to F32, encodes and writes them. */
final class ChunkEncoder implements WritePool.Worker {
  private final Path source;
  private final GgufWriter writer;
  private final List<Quantizer.Chunk> chunks;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment values;
  private final MemorySegment encoded;

  ChunkEncoder(Path source, GgufWriter writer, List<Quantizer.Chunk> chunks, long elements) {
    this.source = source;
    this.writer = writer;
    this.chunks = chunks;
    this.values = arena.allocate(elements * Float.BYTES, 64);
    this.encoded = arena.allocate(elements * Float.BYTES, 64);
  }

  @Override
  public long make(int piece) {
    Quantizer.Chunk chunk = chunks.get(piece);
    DataType from = chunk.from().type();
    DataType to = chunk.to();
    MemorySegment data = chunk.from().data();
    MemorySegment result;
    if (from == to) {
      result = data.asSlice(from.bytes(chunk.first()), from.bytes(chunk.elements()));
    } else {
      Codec.of(from).decode(data, from.bytes(chunk.first()), values, 0, chunk.elements());
      requireNumbers(chunk);
      result = encoded.asSlice(0, to.bytes(chunk.elements()));
      Codec.of(to).encode(values, 0, result, 0, chunk.elements());
    }
    writer.write(chunk.from().name(), to.bytes(chunk.first()), result);
    return result.byteSize();
  }

  private void requireNumbers(Quantizer.Chunk chunk) {
    for (long i = 0; i < chunk.elements(); i++) {
      float value = values.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      if (!Float.isFinite(value)) {
        throw new ConsortException(
            ErrorCode.INVALID_FILE,
            "%s: element %d of tensor %s is %s, expected a number; the file is damaged, fetch or"
                    .formatted(source, chunk.first() + i, chunk.from().name(), value)
                + " convert it again");
      }
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
