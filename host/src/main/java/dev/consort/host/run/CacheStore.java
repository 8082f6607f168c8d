// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.model.Model;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.List;

/** Carries sequences between the caches of an engine and {@link SavedCache}s. */
final class CacheStore {
  private static final long CHUNK_BYTES = 4L << 20;

  private final Model model;
  private final EngineOptions options;
  private final Backend backend;
  private final List<Storage> states;
  private final Cells cells;

  /**
   * @param states all caches, in the order of the layers, keys before values
   */
  CacheStore(
      Model model, EngineOptions options, Backend backend, List<Storage> states, Cells cells) {
    this.model = model;
    this.options = options;
    this.backend = backend;
    this.states = states;
    this.cells = cells;
  }

  /** Writes the tokens that a sequence has; blocks. */
  void save(int sequence, int[] tokens, int count, WritableByteChannel channel) throws IOException {
    int[] places = places(sequence, count);
    SavedCache.Output out = new SavedCache.Output(channel);
    out.write(head(count).encoded());
    ByteBuffer ids = SavedCache.buffer(Integer.BYTES * count);
    ids.asIntBuffer().put(tokens, 0, count);
    out.write(ids);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment chunk = arena.allocate(Math.max(CHUNK_BYTES, largestRow()), 64);
      for (Storage state : states) {
        long row = rowBytes(state);
        int most = (int) Math.max(1, CHUNK_BYTES / row);
        for (int from = 0; from < count; from += most) {
          int rows = Math.min(most, count - from);
          forRuns(
              places,
              from,
              rows,
              (cell, at, length) ->
                  backend.get(state, cell * row, chunk.asSlice(at * row, length * row)));
          backend.synchronize();
          out.write(chunk.asSlice(0, rows * row).asByteBuffer());
        }
      }
    }
    out.finish();
  }

  /**
   * Reads a saved sequence into free cells; blocks. If it throws, no cell is taken.
   *
   * @param name how errors call the file
   * @return its tokens
   */
  int[] restore(int sequence, ReadableByteChannel channel, String name) throws IOException {
    SavedCache.Input in = new SavedCache.Input(name, channel);
    int count =
        SavedCache.Head.requireTokens(name, in.read(SavedCache.HEAD_BYTES), head(1), cells.free());
    int[] tokens = new int[count];
    in.read(Integer.BYTES * count).asIntBuffer().get(tokens);
    for (int token : tokens) {
      SavedCache.require(
          name,
          token >= 0 && token < model.embedding().rows(),
          "token id " + token,
          "0 to " + (model.embedding().rows() - 1),
          "save it again");
    }
    int[] places = new int[count];
    for (int i = 0; i < count; i++) {
      places[i] = cells.take(i, 1 << sequence);
    }
    try {
      fill(places, in);
      in.finish();
    } catch (IOException | RuntimeException | Error e) {
      cells.giveBack(places, count);
      throw e;
    }
    return tokens;
  }

  private void fill(int[] places, SavedCache.Input in) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment chunk = arena.allocate(Math.max(CHUNK_BYTES, largestRow()), 64);
      for (Storage state : states) {
        long row = rowBytes(state);
        int most = (int) Math.max(1, CHUNK_BYTES / row);
        for (int from = 0; from < places.length; from += most) {
          int rows = Math.min(most, places.length - from);
          in.read(chunk.asSlice(0, rows * row).asByteBuffer());
          forRuns(
              places,
              from,
              rows,
              (cell, at, length) ->
                  backend.set(state, cell * row, chunk.asSlice(at * row, length * row)));
          backend.synchronize();
        }
      }
    }
  }

  /** The error for a file that can't be read or written. */
  static ConsortException failed(String name, IOException cause) {
    return cause instanceof EOFException
        ? new ConsortException(
            ErrorCode.INVALID_FILE,
            "%s: the file was cut off: %s; save it again".formatted(name, cause.getMessage()),
            cause)
        : new ConsortException(
            ErrorCode.IO,
            "%s: can't be read or written (%s); check the folder, its rights and free space"
                .formatted(name, cause),
            cause);
  }

  /** For {@code count} tokens; rows of one token if it is 1. */
  private SavedCache.Head head(int count) {
    long bytes = states.stream().mapToLong(CacheStore::rowBytes).sum();
    List<Tensor> tensors = states.stream().map(Storage::tensor).toList();
    return new SavedCache.Head(
        count,
        options.cacheKeys(),
        options.cacheValues(),
        bytes * count,
        ModelFingerprint.of(model, tensors));
  }

  /** The cell of each position of a sequence. */
  private int[] places(int sequence, int count) {
    int[] places = new int[count];
    int found = 0;
    for (int cell = 0; cell < cells.live(); cell++) {
      if ((cells.sequences(cell) & 1 << sequence) != 0 && cells.position(cell) < count) {
        places[cells.position(cell)] = cell;
        found++;
      }
    }
    if (found != count || count == 0) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "the sequence has %d tokens, of which %d are in the cache; expected at least one, and all"
              .formatted(count, found));
    }
    return places;
  }

  private interface Run {
    /** Moves {@code length} rows between the cells from {@code cell} on and a chunk's row. */
    void move(long cell, long chunkRow, long length);
  }

  /** Cells that follow each other are moved together. */
  private static void forRuns(int[] places, int from, int rows, Run run) {
    int start = from;
    for (int i = from + 1; i <= from + rows; i++) {
      if (i == from + rows || places[i] != places[i - 1] + 1) {
        run.move(places[start], start - from, i - start);
        start = i;
      }
    }
  }

  private long largestRow() {
    return states.stream().mapToLong(CacheStore::rowBytes).max().orElse(0);
  }

  private static long rowBytes(Storage state) {
    return state.tensor().bytes() / state.tensor().shape().ne2();
  }
}
