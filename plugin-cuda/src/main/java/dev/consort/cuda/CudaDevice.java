// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceKind;
import dev.consort.api.DeviceMemory;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.ProcAddress;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import dev.consort.cuda.driver.CudaError;
import dev.consort.cuda.driver.DeviceBlock;
import dev.consort.cuda.driver.Gpu;
import dev.consort.cuda.driver.Stream;
import dev.consort.spi.Capabilities;
import dev.consort.spi.Poison;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** One GPU. Its context is made when it is first used. */
final class CudaDevice implements Device {
  private final Gpu gpu;
  private final DeviceInfo info;
  private final CudaHost host;
  private final Poison poison = new Poison(this);
  private final CudaBuffers memory = new CudaBuffers(this, false);
  private final CudaBuffers hostMemory = new CudaBuffers(this, true);
  private final Staging staging = new Staging(this);
  private final Capabilities capabilities = new Capabilities();
  private final Settings settings;
  private final List<CudaComm> comms = new CopyOnWriteArrayList<>();
  private @Nullable Stream service;

  CudaDevice(Gpu gpu, int index, CudaHost host, Settings settings) {
    this.gpu = gpu;
    this.settings = settings;
    this.host = host;
    String driver = "CUDA " + Gpu.driverVersion();
    this.info =
        new DeviceInfo(
            "cuda",
            index,
            gpu.name(),
            gpu.isIntegrated() ? DeviceKind.IGPU : DeviceKind.GPU,
            false,
            driver,
            "cuda/" + driver + "/" + gpu.name() + "/" + CudaKernels.VERSION);
    CudaCopy copies = new CudaCopy();
    capabilities
        .put(ProcAddresses.HOST_BUFFER_TYPE, () -> hostMemory)
        .put(ProcAddresses.SET_TENSOR_2D_ASYNC, CudaTransfers::set)
        .put(ProcAddresses.GET_TENSOR_2D_ASYNC, CudaTransfers::get)
        .put(ProcAddresses.COPY_TENSOR_ASYNC, copies)
        .put(ProcAddresses.GET_FEATURES, this::features);
    if (settings.sums() == Settings.Sums.PEER) {
      capabilities.put(ProcAddresses.COMM_INIT, new CudaCommInit(copies));
    }
  }

  private Map<String, String> features() {
    Map<String, String> features = new LinkedHashMap<>();
    int capability = gpu.computeCapability();
    features.put("compute capability", capability / 10 + "." + capability % 10);
    features.put("multiprocessors", String.valueOf(gpu.processors()));
    return features;
  }

  Gpu gpu() {
    return gpu;
  }

  CudaHost host() {
    return host;
  }

  Staging staging() {
    return staging;
  }

  Settings settings() {
    return settings;
  }

  void join(CudaComm comm) {
    comms.add(comm);
  }

  void leave(CudaComm comm) {
    comms.remove(comm);
  }

  Poison poison() {
    return poison;
  }

  /** Fills a block and waits for it. In the device's context. */
  synchronized void fill(DeviceBlock block, byte value) {
    Stream stream = service;
    if (stream == null) {
      stream = new Stream();
      service = stream;
    }
    block.fill(value, stream);
    stream.synchronize();
  }

  /** An error as the API's: out of memory leaves the device usable, all else poisons it. */
  ConsortException translate(String operation, String what, CudaError e) {
    if (e.isOutOfMemory()) {
      DeviceMemory now = memory();
      return ConsortException.of(
              ErrorCode.OUT_OF_MEMORY,
              ("no memory for %s (%s; %d of %d MiB are free); use a smaller model, context or"
                      + " share")
                  .formatted(what, e.getMessage(), now.free() >> 20, now.total() >> 20))
          .device(this)
          .operation(operation)
          .cause(e)
          .build();
    }
    return fail(operation, e);
  }

  /** Poisons the device. */
  ConsortException fail(String operation, CudaError e) {
    ConsortException failure = poison.fail(operation, "the device failed: " + e.getMessage(), e);
    host.forget(this);
    comms.forEach(comm -> comm.memberFailed(this, failure));
    return failure;
  }

  @Override
  public DeviceInfo info() {
    return info;
  }

  @Override
  public DeviceMemory memory() {
    try {
      long[] bytes = gpu.memory();
      return new DeviceMemory(bytes[0], bytes[1]);
    } catch (CudaError e) {
      throw fail("memory", e);
    }
  }

  @Override
  public BufferType bufferType() {
    return memory;
  }

  @Override
  public Support supports(Tensor node) {
    return CudaKernels.supports(node);
  }

  @Override
  public CudaBackend createBackend() {
    poison.check();
    try {
      gpu.bind();
      return new CudaBackend(this);
    } catch (CudaError e) {
      throw translate("createBackend", "a stream", e);
    }
  }

  @Override
  public Event createEvent() {
    poison.check();
    try {
      gpu.bind();
      return new CudaEvent(this);
    } catch (CudaError e) {
      throw translate("createEvent", "an event", e);
    }
  }

  @Override
  public <T> Optional<T> find(ProcAddress<T> address) {
    return capabilities.find(address);
  }

  /** Releases the context. */
  void close() {
    gpu.close();
  }
}
