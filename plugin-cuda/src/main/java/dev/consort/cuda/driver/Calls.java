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
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS));

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

  static int launch(MemorySegment config, long function, MemorySegment arguments) {
    try {
      return (int) LAUNCH.invokeExact(config, function, arguments, MemorySegment.NULL);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
