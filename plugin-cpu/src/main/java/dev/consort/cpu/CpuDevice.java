// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.BufferFromHostPtr;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceKind;
import dev.consort.api.DeviceMemory;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.ProcAddress;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import dev.consort.spi.Capabilities;
import dev.consort.spi.Poison;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The host's processor, or a node of it. Nothing is loaded and no thread is started before the
 * first use.
 */
final class CpuDevice implements Device, AutoCloseable {
  private final DeviceInfo info;
  private final String path;
  private final Packing packing;
  private final Settings settings;
  private final Placement placement;
  private final Poison poison = new Poison(this);
  private final AtomicInteger backends = new AtomicInteger();
  private final Capabilities capabilities;
  private @Nullable Kernels kernels;
  private @Nullable Executor executor;
  private @Nullable BufferType plain;
  private @Nullable BufferType packed;

  CpuDevice(int index, Processor processor, String path, Settings settings, Placement placement) {
    this.placement = placement;
    this.path = path;
    this.packing = Packing.of(path);
    this.settings = settings;
    this.info =
        new DeviceInfo(
            "cpu",
            index,
            processor.model() + placement.suffix(),
            DeviceKind.CPU,
            false,
            path,
            "cpu " + path);
    this.capabilities = CpuCapabilities.of(this, processor);
  }

  @Override
  public DeviceInfo info() {
    return info;
  }

  @Override
  public DeviceMemory memory() {
    long[] bytes = placement.memory();
    return new DeviceMemory(bytes[0], bytes[1]);
  }

  synchronized Kernels kernels() {
    Kernels made = kernels;
    if (made == null) {
      made = path.equals("portable") ? new PortableKernels() : new NativeKernels(path);
      kernels = made;
    }
    return made;
  }

  synchronized Executor executor() {
    Executor made = executor;
    if (made == null) {
      String name = placement.isLocal() ? "consort-" + info.id() : "consort-cpu";
      int threads = Math.min(settings.threads(), placement.cores());
      made = new Executor(kernels(), poison, name, threads, placement);
      executor = made;
    }
    return made;
  }

  @Override
  public synchronized BufferType bufferType() {
    BufferType made = plain;
    if (made == null) {
      made = new CpuBufferType(this, this::kernels, placement, false);
      plain = made;
    }
    return made;
  }

  Packing packing() {
    return packing;
  }

  /** The type in which weights are packed; of use where {@link #packing} holds any. */
  synchronized BufferType packedType() {
    BufferType made = packed;
    if (made == null) {
      made = new CpuBufferType(this, this::kernels, placement, true);
      packed = made;
    }
    return made;
  }

  Poison poison() {
    return poison;
  }

  Duration collectiveTimeout() {
    return settings.collectiveTimeout();
  }

  @Override
  public Support supports(Tensor node) {
    return SupportedOperations.supports(node);
  }

  @Override
  public Backend createBackend() {
    poison.check();
    return new CpuBackend(this, info.id() + " stream " + backends.getAndIncrement());
  }

  @Override
  public Event createEvent() {
    return new CpuEvent(this, executor());
  }

  @Override
  public <T> Optional<T> find(ProcAddress<T> address) {
    return capabilities.find(address);
  }

  /** Memory of the caller's as a buffer. */
  BufferFromHostPtr wrapping() {
    return new BufferFromHostPtr() {
      @Override
      public long alignment() {
        return 1;
      }

      @Override
      public Optional<Buffer> wrap(MemorySegment memory) {
        // Weights are read from the node's own memory: they are copied there.
        if (!memory.isNative() || placement.isLocal()) {
          return Optional.empty();
        }
        return Optional.of(new CpuBuffer(bufferType(), memory, placement, () -> {}));
      }
    };
  }

  static CpuBackend own(Backend backend) {
    if (backend instanceof CpuBackend mine) {
      return mine;
    }
    throw new ConsortException(
        ErrorCode.INVALID_ARGUMENT,
        "found a backend of %s, expected one of the CPU".formatted(backend.device().info().id()));
  }

  @Override
  public synchronized void close() {
    if (executor != null) {
      executor.close();
      executor = null;
    }
  }
}
