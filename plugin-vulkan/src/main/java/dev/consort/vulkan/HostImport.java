// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import dev.consort.api.Buffer;
import dev.consort.api.BufferFromHostPtr;
import dev.consort.vulkan.vk.Block;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/** Imports host memory, once it was seen that a device reads what the host wrote there. */
final class HostImport implements BufferFromHostPtr {
  private final VulkanDevice device;
  private final VulkanBuffers type;
  private Optional<Boolean> works = Optional.empty();

  HostImport(VulkanDevice device, VulkanBuffers type) {
    this.device = device;
    this.type = type;
  }

  @Override
  public long alignment() {
    return Math.max(4096, device.adapter().limits().importAlignment());
  }

  @Override
  public Optional<Buffer> wrap(MemorySegment memory) {
    device.poison().check();
    boolean aligned =
        memory.isNative() && ((memory.address() | memory.byteSize()) & (alignment() - 1)) == 0;
    if (!aligned || memory.byteSize() == 0 || memory.byteSize() > type.maxBytes() || !works()) {
      return Optional.empty();
    }
    return device
        .gpu()
        .heap()
        .importHost(memory.address(), memory.byteSize())
        .map(block -> type.wrap(block, memory.byteSize()));
  }

  private synchronized boolean works() {
    if (works.isEmpty()) {
      works = Optional.of(check());
    }
    return works.get();
  }

  /** Sends a pattern there and back by the device. */
  private boolean check() {
    try (Arena arena = Arena.ofConfined();
        VulkanBackend stream = device.createBackend()) {
      long bytes = alignment();
      MemorySegment memory = arena.allocate(2 * bytes, bytes);
      Optional<Block> imported = device.gpu().heap().importHost(memory.address(), 2 * bytes);
      if (imported.isEmpty()) {
        return false;
      }
      Block block = imported.get();
      Block own = device.gpu().heap().allocate(bytes, false);
      try {
        for (long i = 0; i < bytes; i += 4) {
          memory.set(ValueLayout.JAVA_INT, i, (int) (i * 0x9e3779b9L));
        }
        stream.stream().copy(block, 0, own, 0, bytes);
        stream.stream().copy(own, 0, block, bytes, bytes);
        stream.synchronize();
        return memory.asSlice(0, bytes).mismatch(memory.asSlice(bytes, bytes)) < 0;
      } finally {
        device.gpu().heap().free(own);
        device.gpu().heap().free(block);
      }
    }
  }
}
