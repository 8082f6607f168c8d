// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan.vk;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.lwjgl.vulkan.VkDevice;

/**
 * The functions that a step of decoding calls. LWJGL's bindings make a segment of the function's
 * address at each call, which is garbage until the JIT compiler removes it some thousand tokens
 * later; here it is made once. Pointers and handles are addresses. Thread safe; what Vulkan asks of
 * callers holds.
 */
public final class Calls {
  private static final MemoryLayout P = ValueLayout.JAVA_LONG;
  private static final MemoryLayout I = ValueLayout.JAVA_INT;

  private static final MethodHandle PIPJ_I = handle(FunctionDescriptor.of(I, P, I, P, P));
  private static final MethodHandle PPJ_I = handle(FunctionDescriptor.of(I, P, P, P));
  private static final MethodHandle PP_I = handle(FunctionDescriptor.of(I, P, P));
  private static final MethodHandle P_I = handle(FunctionDescriptor.of(I, P));
  private static final MethodHandle PP_V = handle(FunctionDescriptor.ofVoid(P, P));
  private static final MethodHandle PJJIP_V = handle(FunctionDescriptor.ofVoid(P, P, P, I, P));

  private final long device;
  private final MemorySegment queueSubmit2;
  private final MemorySegment waitSemaphores;
  private final MemorySegment getSemaphoreCounterValue;
  private final MemorySegment beginCommandBuffer;
  private final MemorySegment endCommandBuffer;
  private final MemorySegment cmdPipelineBarrier2;
  private final MemorySegment cmdCopyBuffer;

  Calls(VkDevice device) {
    var functions = device.getCapabilities();
    this.device = device.address();
    queueSubmit2 = MemorySegment.ofAddress(functions.vkQueueSubmit2);
    waitSemaphores = MemorySegment.ofAddress(functions.vkWaitSemaphores);
    getSemaphoreCounterValue = MemorySegment.ofAddress(functions.vkGetSemaphoreCounterValue);
    beginCommandBuffer = MemorySegment.ofAddress(functions.vkBeginCommandBuffer);
    endCommandBuffer = MemorySegment.ofAddress(functions.vkEndCommandBuffer);
    cmdPipelineBarrier2 = MemorySegment.ofAddress(functions.vkCmdPipelineBarrier2);
    cmdCopyBuffer = MemorySegment.ofAddress(functions.vkCmdCopyBuffer);
  }

  private static MethodHandle handle(FunctionDescriptor shape) {
    return Linker.nativeLinker().downcallHandle(shape);
  }

  /** Submits one {@code VkSubmitInfo2}. */
  public int queueSubmit2(long queue, long info) {
    try {
      return (int) PIPJ_I.invokeExact(queueSubmit2, queue, 1, info, 0L);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Blocks for up to {@code nanos}. */
  public int waitSemaphores(long info, long nanos) {
    try {
      return (int) PPJ_I.invokeExact(waitSemaphores, device, info, nanos);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Writes the value to the eight bytes at {@code value}. */
  public int getSemaphoreCounterValue(long semaphore, long value) {
    try {
      return (int) PPJ_I.invokeExact(getSemaphoreCounterValue, device, semaphore, value);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  public int beginCommandBuffer(long commands, long info) {
    try {
      return (int) PP_I.invokeExact(beginCommandBuffer, commands, info);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  public int endCommandBuffer(long commands) {
    try {
      return (int) P_I.invokeExact(endCommandBuffer, commands);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  public void cmdPipelineBarrier2(long commands, long info) {
    try {
      PP_V.invokeExact(cmdPipelineBarrier2, commands, info);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Copies one region. */
  public void cmdCopyBuffer(long commands, long from, long to, long region) {
    try {
      PJJIP_V.invokeExact(cmdCopyBuffer, commands, from, to, 1, region);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  private static IllegalStateException broken(Throwable cause) {
    return new IllegalStateException("a call of the Vulkan driver threw", cause);
  }
}
