// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.cuda.driver.Relaunch;
import dev.consort.cuda.driver.Stream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Small writes to a stream, as a step's inputs are. They are gathered in pinned memory until
 * something else is asked of the stream; one kernel then brings all to their places, where a copy
 * each would cost the driver's time. Makes no garbage. In the device's context, and for one thread
 * at a time, as its stream is.
 */
final class Uploads implements AutoCloseable {
  /** What is larger is copied. */
  static final long MOST_BYTES = 64 << 10;

  /** {@code MOST_WRITES} of transfers.cu. */
  private static final int MOST = 16;

  private static final long ROOM = 128 << 10;
  private static final long ALIGNMENT = 16;
  private static final int THREADS = 256;

  /** {@code Write} of transfers.cu. */
  private static final long WRITE_BYTES = 24;

  private final CudaDevice device;
  private final Relaunch scatter;
  private final CudaBuffers.Piece[] pieces = new CudaBuffers.Piece[MOST];
  private final long[] places = new long[MOST];
  private final long[] sources = new long[MOST];
  private final long[] sizes = new long[MOST];
  private Staging.@Nullable Block block;
  private long used;
  private int count;

  Uploads(CudaDevice device) {
    this.device = device;
    long function = device.gpu().modules().function("transfers", "scatter");
    this.scatter = new Relaunch(function, THREADS, MOST * WRITE_BYTES);
  }

  /** Takes the segment's bytes, of which there are at most {@link #MOST_BYTES}. */
  void add(CudaBuffers.Piece piece, long place, MemorySegment from, Stream stream) {
    long bytes = from.byteSize();
    makeRoom(place, bytes, bytes, stream);
    Staging.Block into = block;
    if (into == null) {
      into = device.staging().forWrite(ROOM);
      block = into;
    }
    MemorySegment.copy(from, 0, into.segment(), used, bytes);
    add(piece, place, into.address() + used, bytes);
    used = (used + bytes + ALIGNMENT - 1) & -ALIGNMENT;
  }

  /** The segment is pinned itself, and read when the stream comes to it. */
  void addPinned(CudaBuffers.Piece piece, long place, MemorySegment from, Stream stream) {
    makeRoom(place, from.byteSize(), 0, stream);
    add(piece, place, from.address(), from.byteSize());
  }

  private void add(CudaBuffers.Piece piece, long place, long source, long bytes) {
    if (bytes > 0) {
      pieces[count] = piece;
      places[count] = place;
      sources[count] = source;
      sizes[count] = bytes;
      count++;
    }
  }

  private void makeRoom(long place, long bytes, long staged, Stream stream) {
    if (count == MOST || used + staged > ROOM || overlaps(place, bytes)) {
      flush(stream);
    }
  }

  /** Of two writes to one place the later is to win. */
  private boolean overlaps(long place, long bytes) {
    for (int i = 0; i < count; i++) {
      if (place < places[i] + sizes[i] && places[i] < place + bytes) {
        return true;
      }
    }
    return false;
  }

  /** Puts what was gathered into the stream; what goes to buffers that were closed is dropped. */
  void flush(Stream stream) {
    if (count == 0) {
      return;
    }
    MemorySegment arguments = scatter.arguments();
    int writes = 0;
    long most = 0;
    for (int i = 0; i < count; i++) {
      if (!pieces[i].isClosed()) {
        long at = writes++ * WRITE_BYTES;
        arguments.set(ValueLayout.JAVA_LONG, at, places[i]);
        arguments.set(ValueLayout.JAVA_LONG, at + 8, sources[i]);
        arguments.set(ValueLayout.JAVA_LONG, at + 16, sizes[i]);
        most = Math.max(most, sizes[i]);
      }
    }
    Staging.Block staged = block;
    block = null;
    count = 0;
    used = 0;
    if (writes > 0) {
      long tile = THREADS * ALIGNMENT;
      scatter.enqueue((int) ((most + tile - 1) / tile), writes, stream);
    }
    if (staged != null) {
      staged.sent(stream);
    }
  }

  @Override
  public void close() {
    scatter.close();
  }
}
