// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** What JCuda lacks, or has only with an object a call. Touched only where there is a driver. */
final class Calls {
  private static final SymbolLookup DRIVER = lookup();
  private static final MethodHandle COPY =
      bind(
          "cuMemcpyAsync",
          FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle LAUNCH =
      bind(
          "cuLaunchKernelEx",
          FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));

  private static final MethodHandle SET_ATTRIBUTE =
      bind("cuFuncSetAttribute", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT));
  private static final Optional<MethodHandle> ENCODE_TILED =
      DRIVER
          .find("cuTensorMapEncodeTiled")
          .map(
              address ->
                  Linker.nativeLinker()
                      .downcallHandle(
                          address,
                          FunctionDescriptor.of(
                              JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS,
                              ADDRESS, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT)));
  private static final Optional<MethodHandle> LOAD =
      DRIVER
          .find("cuFuncLoad")
          .map(
              address ->
                  Linker.nativeLinker()
                      .downcallHandle(address, FunctionDescriptor.of(JAVA_INT, JAVA_LONG)));

  private Calls() {}

  private static SymbolLookup lookup() {
    return SymbolLookup.libraryLookup(Driver.LIBRARY, Arena.global());
  }

  private static MethodHandle bind(String name, FunctionDescriptor descriptor) {
    return Linker.nativeLinker().downcallHandle(DRIVER.findOrThrow(name), descriptor);
  }

  static int copyAsync(long to, long from, long bytes, long stream) {
    try {
      return (int) COPY.invokeExact(to, from, bytes, stream);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Brings a kernel onto the device now rather than at its first launch, which may have to wait for
   * kernels that wait for others. Drivers before 12.4 do without.
   */
  static int load(long function) {
    try {
      return LOAD.isPresent() ? (int) LOAD.get().invokeExact(function) : 0;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  static int setAttribute(long function, int attribute, int value) {
    try {
      return (int) SET_ATTRIBUTE.invokeExact(function, attribute, value);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  static boolean encodesTiled() {
    return ENCODE_TILED.isPresent();
  }

  /** A matrix; the segments hold what the driver takes by pointer. */
  static int encodeTiled(
      MemorySegment map,
      int type,
      long address,
      MemorySegment extents,
      MemorySegment strides,
      MemorySegment box,
      MemorySegment steps,
      int swizzle,
      int promotion) {
    try {
      return (int)
          ENCODE_TILED
              .orElseThrow()
              .invokeExact(
                  map, type, 2, address, extents, strides, box, steps, 0, swizzle, promotion, 0);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** The addresses of a CUlaunchConfig and of the pointers to the kernel's arguments. */
  static int launch(long config, long function, long arguments) {
    try {
      return (int) LAUNCH.invokeExact(config, function, arguments, 0L);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
