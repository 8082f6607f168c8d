// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.BufferFromHostPtr;
import dev.consort.api.BufferType;
import dev.consort.api.CopyTensor;
import dev.consort.api.Device;
import dev.consort.api.Event;
import dev.consort.api.ExtraBufferTypes;
import dev.consort.api.HostSignal;
import dev.consort.api.ProcAddresses;
import dev.consort.api.SetThreads;
import dev.consort.api.Storage;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import dev.consort.spi.Capabilities;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The proc addresses of a reference device: all the standard ones. */
final class ReferenceCapabilities {
  private ReferenceCapabilities() {}

  static void fill(Capabilities to, ReferenceDevice device) {
    BufferType host = new ReferenceBufferType(device, ReferenceBufferType.Kind.HOST);
    to.put(ProcAddresses.SET_TENSOR_2D_ASYNC, Transfers::set2d)
        .put(ProcAddresses.GET_TENSOR_2D_ASYNC, Transfers::get2d)
        .put(ProcAddresses.COPY_TENSOR_ASYNC, new Copies())
        .put(ProcAddresses.COMM_INIT, ReferenceComm::init)
        .put(ProcAddresses.HOST_BUFFER_TYPE, () -> host)
        .put(ProcAddresses.BUFFER_FROM_HOST_PTR, new Wrapping(device))
        .put(ProcAddresses.EXTRA_BUFFER_TYPES, new Scrambled(device))
        .put(ProcAddresses.HOST_SIGNAL, new Signals(device))
        .put(ProcAddresses.SET_N_THREADS, new Threads())
        .put(ProcAddresses.GET_FEATURES, () -> Map.of("arithmetic", "scalar, sums in F64"));
  }

  private static final class Copies implements CopyTensor {
    @Override
    public boolean connects(Device from, Device to) {
      return from instanceof ReferenceDevice a
          && to instanceof ReferenceDevice b
          && a.options().plugin().equals(b.options().plugin());
    }

    @Override
    public void copy(
        Backend fromBackend,
        Storage from,
        long fromOffset,
        Backend toBackend,
        Storage to,
        long toOffset,
        long bytes) {
      Transfers.copy(
          ReferenceBackend.own(fromBackend),
          from,
          fromOffset,
          ReferenceBackend.own(toBackend),
          to,
          toOffset,
          bytes);
    }
  }

  private record Wrapping(ReferenceDevice device) implements BufferFromHostPtr {
    @Override
    public long alignment() {
      return device.options().alignment();
    }

    @Override
    public Optional<Buffer> wrap(MemorySegment memory) {
      if (!memory.isNative() || memory.address() % alignment() != 0) {
        return Optional.empty();
      }
      return Optional.of(
          new ReferenceBuffer(device.bufferType(), memory, Optional.of(memory), () -> {}));
    }
  }

  private static final class Scrambled implements ExtraBufferTypes {
    private final BufferType type;

    Scrambled(ReferenceDevice device) {
      type = new ReferenceBufferType(device, ReferenceBufferType.Kind.SCRAMBLED);
    }

    @Override
    public List<BufferType> bufferTypes() {
      return List.of(type);
    }

    @Override
    public Support accepts(BufferType asked, Tensor weight, Tensor user) {
      if (asked != type) {
        return Support.no("another device's buffer type");
      }
      return weight.isContiguous() ? Support.yes() : Support.no("the weight is not contiguous");
    }
  }

  private record Signals(ReferenceDevice device) implements HostSignal {
    @Override
    public Event createEvent() {
      return new ReferenceEvent(device);
    }

    @Override
    public void arm(Event event) {
      ReferenceBackend.own(event).renew();
    }

    @Override
    public void signal(Event event) {
      ReferenceBackend.own(event).moment().done().complete(null);
    }
  }

  private static final class Threads implements SetThreads {
    private volatile int threads = 1;

    @Override
    public void setThreads(int count) {
      threads = count;
    }

    @Override
    public int threads() {
      return threads;
    }
  }
}
