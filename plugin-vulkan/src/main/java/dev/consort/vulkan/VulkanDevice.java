// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceKind;
import dev.consort.api.DeviceMemory;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import dev.consort.spi.BaseDevice;
import dev.consort.vulkan.vk.Adapter;
import dev.consort.vulkan.vk.Gpu;
import dev.consort.vulkan.vk.VulkanError;
import org.jspecify.annotations.Nullable;

/** One physical device. Its logical device is made when it is first used. */
final class VulkanDevice extends BaseDevice {
  private final Adapter adapter;
  private final Tuning tuning;
  private final Pinned pinned = new Pinned();
  private final VulkanBuffers memory;
  private @Nullable Gpu gpu;

  VulkanDevice(Adapter adapter, int index, Tuning tuning) {
    super(describe(adapter, index, tuning));
    this.adapter = adapter;
    this.tuning = tuning;
    this.memory = new VulkanBuffers(this, VulkanBuffers.Kind.DEVICE);
    VulkanBuffers hostMemory = new VulkanBuffers(this, VulkanBuffers.Kind.HOST);
    offer(ProcAddresses.HOST_BUFFER_TYPE, () -> hostMemory);
    offer(ProcAddresses.HOST_SIGNAL, new VulkanHostSignal(this));
    offer(ProcAddresses.SET_TENSOR_2D_ASYNC, VulkanTransfers::set);
    offer(ProcAddresses.GET_TENSOR_2D_ASYNC, VulkanTransfers::get);
    offer(ProcAddresses.COPY_TENSOR_ASYNC, new VulkanCopy());
    offer(ProcAddresses.GET_FEATURES, () -> VulkanFeatures.of(adapter));
    if (adapter.importsHostMemory()) {
      offer(ProcAddresses.BUFFER_FROM_HOST_PTR, new HostImport(this, memory));
    }
  }

  private static DeviceInfo describe(Adapter adapter, int index, Tuning tuning) {
    String arithmetic =
        "vulkan/%s/%s/%s%s"
            .formatted(
                adapter.driver(),
                adapter.name(),
                VulkanKernels.VERSION,
                tuning.matrixCores() ? "/matrix_cores" : "");
    return new DeviceInfo(
        "vulkan",
        index,
        adapter.name(),
        adapter.isIntegrated() ? DeviceKind.IGPU : DeviceKind.GPU,
        adapter.isSoftware(),
        adapter.driver(),
        arithmetic);
  }

  Adapter adapter() {
    return adapter;
  }

  Tuning tuning() {
    return tuning;
  }

  Pinned pinned() {
    return pinned;
  }

  /** The logical device. */
  synchronized Gpu gpu() {
    if (gpu == null) {
      try {
        gpu = Gpu.open(adapter);
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
    return e instanceof ConsortException own && poison().isPoisoned()
        ? own
        : poison().fail(operation, "the device failed: " + e.getMessage(), e);
  }

  @Override
  public DeviceMemory memory() {
    long[] heap = adapter.heap();
    long free = heap[1];
    if (free < 0) {
      synchronized (this) {
        free = heap[0] - (gpu == null ? 0 : gpu.heap().allocated());
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
    poison().check();
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

  /** Releases the logical device. */
  synchronized void close() {
    if (gpu != null) {
      gpu.close();
      gpu = null;
    }
  }
}
