// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Storage;
import dev.consort.cuda.driver.CudaError;
import dev.consort.cuda.driver.DeviceBlock;
import dev.consort.cuda.driver.Gpu;
import dev.consort.cuda.driver.Rectangle;
import dev.consort.cuda.driver.Stream;
import dev.consort.spi.Checks;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A CUDA stream. */
final class CudaBackend implements Backend {
  private final CudaDevice device;
  private final Stream stream;
  private final Uploads uploads;
  private volatile List<CudaComm> comms = List.of();
  private @Nullable DeviceBlock counters;
  private boolean closed;

  /** In the device's context. */
  CudaBackend(CudaDevice device) {
    this.device = device;
    this.uploads = new Uploads(device);
    this.stream = new Stream();
  }

  @Override
  public CudaDevice device() {
    return device;
  }

  /** The stream, with everything in it that was asked for so far. In the device's context. */
  Stream stream() {
    uploads.flush(stream);
    return stream;
  }

  /** Zeros for {@link Work.Places#counters}. In the device's context. */
  long counters() {
    DeviceBlock made = counters;
    if (made == null) {
      made = new DeviceBlock(4L * AttentionKernels.COUNTERS);
      device.fill(made, (byte) 0);
      counters = made;
    }
    return made.address();
  }

  synchronized void join(CudaComm comm) {
    List<CudaComm> joined = new ArrayList<>(comms);
    joined.add(comm);
    comms = List.copyOf(joined);
    device.join(comm);
  }

  synchronized void leave(CudaComm comm) {
    comms = comms.stream().filter(other -> other != comm).toList();
    device.leave(comm);
  }

  /** Throws if a collective of this stream failed. */
  void checkComms() {
    List<CudaComm> all = comms;
    for (int i = 0; i < all.size(); i++) {
      all.get(i).check();
    }
  }

  @Override
  public Schedule schedule(Graph graph) {
    check("schedule");
    return Scheduling.of(graph, Chip.of(device.gpu()));
  }

  @Override
  public Plan compile(Graph graph, Schedule schedule, Allocation allocation) {
    check("compile");
    Checks.compile(device, graph, allocation);
    try {
      return Compiler.compile(this, graph, schedule, allocation);
    } catch (CudaError e) {
      throw device.translate("compile", "a plan of " + schedule.steps().size() + " steps", e);
    }
  }

  @Override
  public void submit(Plan plan) {
    check("submit");
    checkComms();
    if (!(plan instanceof CudaPlan own) || own.backend() != this) {
      throw error(
          ErrorCode.INVALID_ARGUMENT,
          "submit",
          "found a plan of another backend, expected one that this backend compiled");
    }
    if (own.isClosed()) {
      throw error(ErrorCode.CLOSED, "submit", "the plan was closed; compile it again");
    }
    try {
      own.launch(stream());
    } catch (CudaError e) {
      throw device.fail("submit", e);
    }
  }

  @Override
  public void set(Storage to, long offset, MemorySegment from) {
    check("set");
    long bytes = from.byteSize();
    long at = range("set", to, offset, bytes);
    try {
      boolean small = bytes <= Uploads.MOST_BYTES;
      CudaBuffers.Piece piece = (CudaBuffers.Piece) to.buffer();
      if (device.host().isPinned(from)) {
        if (small) {
          uploads.addPinned(piece, at, from, stream);
        } else {
          Gpu.copy(at, from.address(), bytes, stream());
        }
        return;
      }
      device.host().settle(from);
      if (small) {
        uploads.add(piece, at, from, stream);
        return;
      }
      for (long done = 0; done < bytes; ) {
        long part = Math.min(bytes - done, Staging.PIECE);
        Staging.Block block = device.staging().forWrite(part);
        MemorySegment.copy(from, done, block.segment(), 0, part);
        Gpu.copy(at + done, block.address(), part, stream());
        block.sent(stream);
        done += part;
      }
    } catch (CudaError e) {
      throw device.translate("set", "a transfer of " + bytes + " bytes", e);
    }
  }

  @Override
  public void get(Storage from, long offset, MemorySegment to) {
    check("get");
    long bytes = to.byteSize();
    long at = range("get", from, offset, bytes);
    try {
      if (device.host().isPinned(to)) {
        Gpu.copy(to.address(), at, bytes, stream());
        return;
      }
      for (long done = 0; done < bytes; ) {
        long piece = Math.min(bytes - done, Staging.PIECE);
        Staging.Block block = device.staging().forRead(piece);
        Gpu.copy(block.address(), at + done, piece, stream());
        block.reading(stream, to, done, piece, piece, 1);
        device.host().add(block);
        done += piece;
      }
    } catch (CudaError e) {
      throw device.translate("get", "a transfer of " + bytes + " bytes", e);
    }
  }

  /** Writes rows, which go through staging as one piece where the host's memory is not pinned. */
  void set2d(
      Storage to,
      long offset,
      long toStride,
      MemorySegment from,
      long fromStride,
      long rowBytes,
      long rows) {
    check("set");
    long at = range("set", to, offset, span(toStride, rowBytes, rows));
    if (rows == 0 || rowBytes == 0) {
      return;
    }
    MemorySegment used = from.asSlice(0, span(fromStride, rowBytes, rows));
    try {
      if (device.host().isPinned(used)) {
        Rectangle.set(at, toStride, from.address(), fromStride, rowBytes, rows, stream());
        return;
      }
      device.host().settle(used);
      long step = Math.max(1, Staging.PIECE / rowBytes);
      for (long row = 0; row < rows; row += step) {
        long count = Math.min(step, rows - row);
        Staging.Block block = device.staging().forWrite(count * rowBytes);
        for (long i = 0; i < count; i++) {
          MemorySegment.copy(used, (row + i) * fromStride, block.segment(), i * rowBytes, rowBytes);
        }
        Rectangle.set(
            at + row * toStride, toStride, block.address(), rowBytes, rowBytes, count, stream());
        block.sent(stream);
      }
    } catch (CudaError e) {
      throw device.translate("set", "a transfer of " + rows + " rows", e);
    }
  }

  /** Reads rows. */
  void get2d(
      Storage from,
      long offset,
      long fromStride,
      MemorySegment to,
      long toStride,
      long rowBytes,
      long rows) {
    check("get");
    long at = range("get", from, offset, span(fromStride, rowBytes, rows));
    if (rows == 0 || rowBytes == 0) {
      return;
    }
    Objects.checkFromIndexSize(0, span(toStride, rowBytes, rows), to.byteSize());
    try {
      if (device.host().isPinned(to)) {
        Rectangle.get(at, fromStride, to.address(), toStride, rowBytes, rows, stream());
        return;
      }
      long step = Math.max(1, Staging.PIECE / rowBytes);
      for (long row = 0; row < rows; row += step) {
        long count = Math.min(step, rows - row);
        Staging.Block block = device.staging().forRead(count * rowBytes);
        Rectangle.get(
            at + row * fromStride,
            fromStride,
            block.address(),
            rowBytes,
            rowBytes,
            count,
            stream());
        block.reading(stream, to, row * toStride, toStride, rowBytes, count);
        device.host().add(block);
      }
    } catch (CudaError e) {
      throw device.translate("get", "a transfer of " + rows + " rows", e);
    }
  }

  private static long span(long stride, long rowBytes, long rows) {
    return rows == 0 ? 0 : (rows - 1) * stride + rowBytes;
  }

  @Override
  public void copy(Storage from, long fromOffset, Storage to, long toOffset, long bytes) {
    check("copy");
    long source = range("copy", from, fromOffset, bytes);
    long target = range("copy", to, toOffset, bytes);
    copy(source, target, bytes);
  }

  /** Copies between any two addresses that this device reaches. */
  void copy(long source, long target, long bytes) {
    check("copy");
    if (bytes == 0) {
      return;
    }
    try {
      Gpu.copy(target, source, bytes, stream());
    } catch (CudaError e) {
      throw device.fail("copy", e);
    }
  }

  @Override
  public void record(Event event) {
    check("record");
    CudaEvent own = own(event, "record");
    if (event.device() != device) {
      throw error(
          ErrorCode.INVALID_ARGUMENT,
          "record",
          "found an event of %s, expected one of this device"
              .formatted(event.device().info().id()));
    }
    try {
      own.record(this);
    } catch (CudaError e) {
      throw device.fail("record", e);
    }
  }

  @Override
  public void await(Event event) {
    check("await");
    CudaEvent own = own(event, "await");
    try {
      stream().await(own.marker());
    } catch (CudaError e) {
      throw device.fail("await", e);
    }
  }

  private CudaEvent own(Event event, String operation) {
    if (event instanceof CudaEvent own) {
      return own;
    }
    throw error(
        ErrorCode.UNSUPPORTED,
        operation,
        "found an event of %s, expected one of a CUDA device; wait for it on the host"
            .formatted(event.device().info().id()));
  }

  @Override
  public void synchronize() {
    check("synchronize");
    try {
      stream().synchronize();
      device.host().settle();
    } catch (CudaError e) {
      throw device.fail("synchronize", e);
    }
    checkComms();
  }

  /** Where the range of a tensor lies. */
  long range(String operation, Storage place, long offset, long bytes) {
    CudaBuffers.Piece piece = piece(operation, place);
    Checks.range(device, operation, place, offset, bytes);
    return piece.address() + place.offset() + offset;
  }

  private CudaBuffers.Piece piece(String operation, Storage place) {
    if (!(place.buffer() instanceof CudaBuffers.Piece piece)
        || (piece.owner() != device && !piece.isForHost())) {
      throw error(
          ErrorCode.INVALID_ARGUMENT,
          operation,
          "found %s in memory of type %s, expected memory of this device; copy the data over first"
              .formatted(place.tensor(), place.buffer().type().name()));
    }
    if (piece.isClosed()) {
      throw error(
          ErrorCode.CLOSED, operation, place.tensor() + " lies in a buffer that was closed");
    }
    return piece;
  }

  /** Throws if the backend can't be used, else makes its context the thread's. */
  private void check(String operation) {
    if (closed) {
      throw error(ErrorCode.CLOSED, operation, "the backend was closed");
    }
    device.poison().check();
    List<CudaComm> all = comms;
    for (int i = 0; i < all.size(); i++) {
      all.get(i).checkSeen();
    }
    device.gpu().bind();
  }

  private ConsortException error(ErrorCode code, String operation, String message) {
    return ConsortException.of(code, message).device(device).operation(operation).build();
  }

  /** Waits for what is under way. */
  void drain() {
    if (closed || device.poison().isPoisoned()) {
      return;
    }
    try {
      device.gpu().bind();
      stream().synchronize();
      device.host().settle();
    } catch (CudaError e) {
      device.fail("drain", e);
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    drain();
    closed = true;
    try {
      device.gpu().bind();
      stream.close();
      uploads.close();
      if (counters != null) {
        counters.close();
      }
    } catch (CudaError e) {
      if (!device.poison().isPoisoned()) {
        throw device.fail("close", e);
      }
    }
  }
}
