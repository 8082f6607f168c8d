// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.Backend;
import dev.consort.api.BufferType;
import dev.consort.api.Comm;
import dev.consort.api.CommInit;
import dev.consort.api.CopyTensor;
import dev.consort.api.Device;
import dev.consort.api.Event;
import dev.consort.api.ExtraBufferTypes;
import dev.consort.api.GetFeatures;
import dev.consort.api.HostBufferType;
import dev.consort.api.HostSignal;
import dev.consort.api.ProcAddresses;
import dev.consort.api.SetThreads;
import dev.consort.api.Storage;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import dev.consort.spi.Capabilities;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The proc addresses that the CPU offers. */
final class CpuCapabilities {
  private CpuCapabilities() {}

  static Capabilities of(CpuDevice device, Processor processor) {
    var all =
        new Capabilities()
            .put(
                ProcAddresses.SET_TENSOR_2D_ASYNC,
                (backend, to, offset, toStride, from, fromStride, rowBytes, rows) ->
                    CpuDevice.own(backend)
                        .move2d(
                            from,
                            0,
                            fromStride,
                            Memory.ALL,
                            address(to) + offset,
                            toStride,
                            rowBytes,
                            rows))
            .put(
                ProcAddresses.GET_TENSOR_2D_ASYNC,
                (backend, from, offset, fromStride, to, toStride, rowBytes, rows) ->
                    CpuDevice.own(backend)
                        .move2d(
                            Memory.ALL,
                            address(from) + offset,
                            fromStride,
                            to,
                            0,
                            toStride,
                            rowBytes,
                            rows))
            .put(ProcAddresses.COPY_TENSOR_ASYNC, new Copies(device))
            .put(ProcAddresses.COMM_INIT, new Comms(device))
            .put(ProcAddresses.HOST_BUFFER_TYPE, (HostBufferType) device::bufferType)
            .put(ProcAddresses.BUFFER_FROM_HOST_PTR, device.wrapping())
            .put(ProcAddresses.HOST_SIGNAL, new Signals(device))
            .put(ProcAddresses.SET_N_THREADS, new Threads(device))
            .put(ProcAddresses.GET_FEATURES, features(device, processor));
    return device.packing() == Packing.NONE
        ? all
        : all.put(ProcAddresses.EXTRA_BUFFER_TYPES, new PackedWeights(device));
  }

  private static long address(Storage storage) {
    return CpuBuffer.of(storage.buffer()).address() + storage.offset();
  }

  private static GetFeatures features(CpuDevice device, Processor processor) {
    return () -> {
      Map<String, String> found = new LinkedHashMap<>();
      found.put("kernels", device.info().driver());
      processor.flags().stream()
          .filter(flag -> flag.startsWith("avx") || flag.equals("fma") || flag.equals("f16c"))
          .sorted()
          .forEach(flag -> found.put(flag, "yes"));
      return found;
    };
  }

  private record PackedWeights(CpuDevice device) implements ExtraBufferTypes {
    @Override
    public List<BufferType> bufferTypes() {
      return List.of(device.packedType());
    }

    @Override
    public Support accepts(BufferType type, Tensor weight, Tensor user) {
      return device.packing().accepts(weight, user);
    }
  }

  private record Threads(CpuDevice device) implements SetThreads {
    @Override
    public void setThreads(int threads) {
      Settings.checkThreads(threads);
      device.executor().threads(threads);
    }

    @Override
    public int threads() {
      return device.executor().threads();
    }
  }

  private record Comms(CpuDevice device) implements CommInit {
    @Override
    public Optional<Comm> init(List<Backend> members, WirePolicy wire) {
      boolean mine =
          members.stream()
              .allMatch(member -> member instanceof CpuBackend && member.device() == device);
      if (!mine || members.isEmpty() || members.stream().distinct().count() != members.size()) {
        return Optional.empty();
      }
      List<CpuBackend> backends = members.stream().map(CpuDevice::own).toList();
      var comm = new CpuComm(device, backends, wire);
      backends.forEach(backend -> backend.join(comm));
      return Optional.of(comm);
    }
  }

  private record Signals(CpuDevice device) implements HostSignal {
    @Override
    public Event createEvent() {
      return device.createEvent();
    }

    @Override
    public void arm(Event event) {
      ((CpuEvent) event).begin();
    }

    @Override
    public void signal(Event event) {
      CpuEvent mine = (CpuEvent) event;
      mine.complete(mine.latest(), null);
    }
  }

  private record Copies(CpuDevice device) implements CopyTensor {
    @Override
    public boolean connects(Device from, Device to) {
      return from == device && to == device;
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
      if (fromBackend == toBackend) {
        fromBackend.copy(from, fromOffset, to, toOffset, bytes);
        return;
      }
      try (Event before = device.createEvent();
          Event after = device.createEvent()) {
        toBackend.record(before);
        fromBackend.await(before);
        fromBackend.copy(from, fromOffset, to, toOffset, bytes);
        fromBackend.record(after);
        toBackend.await(after);
      }
    }
  }
}
