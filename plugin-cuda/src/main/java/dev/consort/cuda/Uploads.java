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

  /** {@code Write} of transfers.cu: place, source and bytes. */
  private static final int FIELDS = 3;

  private final CudaDevice device;
  private final Relaunch scatter;
  private final CudaBuffers.Piece[] pieces = new CudaBuffers.Piece[MOST];
  private final long[] writes = new long[FIELDS * MOST];
  private Staging.@Nullable Block block;
  private long used;
  private int count;

  Uploads(CudaDevice device) {
    this.device = device;
    long function = device.gpu().modules().function("transfers", "scatter");
    this.scatter = new Relaunch(function, THREADS, (long) Long.BYTES * writes.length);
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
      int at = FIELDS * count++;
      writes[at] = place;
      writes[at + 1] = source;
      writes[at + 2] = bytes;
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
      long other = writes[FIELDS * i];
      if (place < other + writes[FIELDS * i + 2] && other < place + bytes) {
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
    int kept = 0;
    long most = 0;
    for (int i = 0; i < count; i++) {
      if (!pieces[i].isClosed()) {
        most = Math.max(most, writes[FIELDS * i + 2]);
        System.arraycopy(writes, FIELDS * i, writes, FIELDS * kept++, FIELDS);
      }
    }
    MemorySegment.copy(writes, 0, scatter.arguments(), ValueLayout.JAVA_LONG, 0, FIELDS * kept);
    Staging.Block staged = block;
    block = null;
    count = 0;
    used = 0;
    if (kept > 0) {
      long tile = THREADS * ALIGNMENT;
      scatter.enqueue((int) ((most + tile - 1) / tile), kept, stream);
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
