// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The host buffers of a device, found by host address. Thread safe; looking up makes no garbage.
 */
final class Pinned {
  private volatile VulkanBuffers.Piece[] pieces = {};

  synchronized void add(VulkanBuffers.Piece piece) {
    VulkanBuffers.Piece[] more = Arrays.copyOf(pieces, pieces.length + 1);
    more[pieces.length] = piece;
    pieces = more;
  }

  synchronized void remove(VulkanBuffers.Piece piece) {
    pieces =
        Arrays.stream(pieces).filter(other -> other != piece).toArray(VulkanBuffers.Piece[]::new);
  }

  /** The buffer that holds all of the range. */
  VulkanBuffers.@Nullable Piece find(long address, long bytes) {
    for (VulkanBuffers.Piece piece : pieces) {
      long start = piece.hostAddress();
      if (address >= start && address + bytes <= start + piece.bytes()) {
        return piece;
      }
    }
    return null;
  }
}
