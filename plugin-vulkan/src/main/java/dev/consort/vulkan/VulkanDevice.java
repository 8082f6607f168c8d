// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

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
import dev.consort.spi.Capabilities;
import dev.consort.spi.Poison;
import dev.consort.vulkan.vk.Adapter;
import dev.consort.vulkan.vk.Gpu;
import dev.consort.vulkan.vk.VulkanError;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One physical device. Its logical device is made when it is first used. */
final class VulkanDevice implements Device {
  private final Adapter adapter;
  private final DeviceInfo info;
  private final Tuning tuning;
  private final Poison poison = new Poison(this);
  private final Pinned pinned = new Pinned();
  private final VulkanBuffers memory = new VulkanBuffers(this, false);
  private final VulkanBuffers hostMemory = new VulkanBuffers(this, true);
  private final Capabilities capabilities = new Capabilities();
  private @Nullable Gpu gpu;

  VulkanDevice(Adapter adapter, int index, Tuning tuning) {
    this.adapter = adapter;
    this.tuning = tuning;
    DeviceKind kind = adapter.isIntegrated() ? DeviceKind.IGPU : DeviceKind.GPU;
    String arithmetic =
        "vulkan/%s/%s/%s%s"
            .formatted(
                adapter.driver(),
                adapter.name(),
                VulkanKernels.VERSION,
                tuning.matrixCores() ? "/matrix_cores" : "");
    this.info =
        new DeviceInfo(
            "vulkan",
            index,
            adapter.name(),
            kind,
            adapter.isSoftware(),
            adapter.driver(),
            arithmetic);
    capabilities
        .put(ProcAddresses.HOST_BUFFER_TYPE, () -> hostMemory)
        .put(ProcAddresses.HOST_SIGNAL, new VulkanHostSignal(this))
        .put(ProcAddresses.SET_TENSOR_2D_ASYNC, VulkanTransfers::set)
        .put(ProcAddresses.GET_TENSOR_2D_ASYNC, VulkanTransfers::get)
        .put(ProcAddresses.COPY_TENSOR_ASYNC, new VulkanCopy())
        .put(ProcAddresses.GET_FEATURES, () -> VulkanFeatures.of(adapter));
    if (adapter.importsHostMemory()) {
      capabilities.put(ProcAddresses.BUFFER_FROM_HOST_PTR, new HostImport(this, memory));
    }
  }

  Adapter adapter() {
    return adapter;
  }

  Tuning tuning() {
    return tuning;
  }

  Poison poison() {
    return poison;
  }

  Pinned pinned() {
    return pinned;
  }

  /** The logical device. */
  synchronized Gpu gpu() {
    if (gpu == null) {
      try {
        gpu = new Gpu(adapter);
      } catch (VulkanError e) {
        throw translate("open", "the device", e);
      }
    }
    return gpu;
  }

  /** A Vulkan error as the API's: out of memory leaves the device usable, all else poisons it. */
  ConsortException translate(String operation, String what, VulkanError e) {
    if (e.isOutOfMemory()) {
      DeviceMemory now = memory();
      return ConsortException.of(
              ErrorCode.OUT_OF_MEMORY,
              "no memory for %s (%s; %d of %d MiB are free); use a smaller model, context or share"
                  .formatted(what, e.getMessage(), now.free() >> 20, now.total() >> 20))
          .device(this)
          .operation(operation)
          .cause(e)
          .build();
    }
    return fail(operation, e);
  }

  /** Poisons the device. */
  ConsortException fail(String operation, Throwable e) {
    return e instanceof ConsortException own && poison.isPoisoned()
        ? own
        : poison.fail(operation, "the device failed: " + e.getMessage(), e);
  }

  @Override
  public DeviceInfo info() {
    return info;
  }

  @Override
  public DeviceMemory memory() {
    long[] heap = adapter.heap();
    long free = heap[1];
    if (free < 0) {
      synchronized (this) {
        free = heap[0] - (gpu == null ? 0 : gpu.allocated());
      }
    }
    if (adapter.sharesHostMemory()) {
      free = Math.min(free, HostMemory.available());
    }
    return new DeviceMemory(Math.max(0, free), heap[0]);
  }

  @Override
  public BufferType bufferType() {
    return memory;
  }

  @Override
  public Support supports(Tensor node) {
    return VulkanKernels.supports(node);
  }

  @Override
  public VulkanBackend createBackend() {
    poison.check();
    try {
      return new VulkanBackend(this);
    } catch (VulkanError e) {
      throw translate("createBackend", "a stream", e);
    }
  }

  @Override
  public Event createEvent() {
    return new VulkanEvent(this);
  }

  @Override
  public <T> Optional<T> find(ProcAddress<T> address) {
    return capabilities.find(address);
  }

  /** Releases the logical device. */
  synchronized void close() {
    if (gpu != null) {
      gpu.close();
      gpu = null;
    }
  }
}
