// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.ConsortException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The kernels in C: bindings only. */
final class NativeKernels implements Kernels {
  private static final FunctionDescriptor RUN =
      FunctionDescriptor.ofVoid(
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG);
  private static final SymbolLookup LIBRARY = NativeLibrary.load();
  private static final MethodHandle LEVEL =
      NativeLibrary.bind(LIBRARY, "consort_level", FunctionDescriptor.of(ValueLayout.JAVA_INT));
  private static final MethodHandle MAP =
      NativeLibrary.bind(
          LIBRARY,
          "consort_map",
          FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle UNMAP =
      NativeLibrary.bind(
          LIBRARY,
          "consort_unmap",
          FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle GET =
      NativeLibrary.bind(
          LIBRARY,
          "consort_pack_get",
          FunctionDescriptor.ofVoid(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG));
  private static final MethodHandle RUN_AVX2 = NativeLibrary.bind(LIBRARY, "consort_run_avx2", RUN);
  private static final MethodHandle RUN_AVX512 =
      NativeLibrary.bind(LIBRARY, "consort_run_avx512", RUN);

  private final boolean wide;

  /**
   * @param name {@code avx2} or {@code avx512}
   */
  NativeKernels(String name) {
    wide = name.equals("avx512");
  }

  /** The best that this processor runs: {@code avx512}, {@code avx2}, or {@code portable}. */
  static String best() {
    try {
      int level = (int) LEVEL.invokeExact();
      return level == 2 ? "avx512" : level == 1 ? "avx2" : "portable";
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public String name() {
    return wide ? "avx512" : "avx2";
  }

  @Override
  public void run(long steps, long count, long team, int threads, int thread, long room) {
    try {
      if (wide) {
        RUN_AVX512.invokeExact(steps, count, team, (long) threads, (long) thread, room);
      } else {
        RUN_AVX2.invokeExact(steps, count, team, (long) threads, (long) thread, room);
      }
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public Allocated allocate(long bytes) {
    try {
      long at = (long) MAP.invokeExact(bytes);
      if (at == 0) {
        throw Kernels.outOfMemory(bytes);
      }
      return new Allocated(MemorySegment.ofAddress(at).reinterpret(bytes), () -> unmap(at, bytes));
    } catch (ConsortException e) {
      throw e;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private static void unmap(long at, long bytes) {
    try {
      UNMAP.invokeExact(at, bytes);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public void unpack(View packed, long offset, MemorySegment to) {
    try {
      GET.invokeExact(
          packed.type().ggufId(),
          packed.address(),
          packed.shape().ne0(),
          packed.shape().ne1(),
          offset,
          to,
          to.byteSize());
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private static IllegalStateException unexpected(Throwable e) {
    return new IllegalStateException("a native call failed", e);
  }
}
