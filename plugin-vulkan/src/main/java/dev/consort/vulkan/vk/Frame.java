// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan.vk;

import org.lwjgl.system.MemoryStack;

/**
 * Memory for the structures of a few calls. LWJGL's own stack is a thread local, which on a thread
 * of the host's would keep this plugin's classes in memory for as long as that thread lives.
 */
public final class Frame {
  private static final int BYTES = 64 << 10;

  private Frame() {}

  /** A frame; whoever has it closes it. Not for what is called for every token. */
  public static MemoryStack push() {
    return MemoryStack.create(BYTES).push();
  }
}
