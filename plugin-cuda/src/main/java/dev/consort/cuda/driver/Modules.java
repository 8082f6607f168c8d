// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static dev.consort.cuda.driver.CudaError.check;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;

/** Kernels by file and name, loaded into the current context from PTX when first asked for. */
public final class Modules {
  /** The folder of the PTX files in the class path. */
  static final String FOLDER = "/dev/consort/cuda/kernels/";

  private static final class Function extends CUfunction {
    long handle() {
      return getNativePointer();
    }
  }

  private static final int OVERLAPPING = 90;
  private static final int HOPPER = 90;

  /** CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES. */
  private static final int MOST_DYNAMIC_SHARED = 8;

  private static final String MARK = "//@sm_90 ";

  private final Map<String, CUmodule> modules = new HashMap<>();
  private final Map<String, Long> functions = new HashMap<>();
  private final Map<Long, Integer> shared = new HashMap<>();

  private final int capability;

  /**
   * @param capability ten times the major version of the compute capability and the minor
   */
  Modules(int capability) {
    this.capability = capability;
  }

  /** Whether a kernel may start before the one ahead of it in the stream has ended. */
  public boolean overlap() {
    return capability >= OVERLAPPING;
  }

  /** Whether the kernels for Hopper run. */
  public boolean isHopper() {
    return capability == HOPPER && Calls.encodesTiled();
  }

  /** Lets blocks of the kernel have so much shared memory at least beside what it declares. */
  public synchronized void allowShared(long function, int bytes) {
    if (bytes > shared.getOrDefault(function, 0)) {
      check("cuFuncSetAttribute", Calls.setAttribute(function, MOST_DYNAMIC_SHARED, bytes));
      shared.put(function, bytes);
    }
  }

  /** The handle of a kernel. */
  public synchronized long function(String file, String name) {
    return functions.computeIfAbsent(name, key -> find(file, name));
  }

  private long find(String file, String name) {
    CUmodule module = modules.computeIfAbsent(file, this::load);
    Function function = new Function();
    check("cuModuleGetFunction", JCudaDriver.cuModuleGetFunction(function, module, name));
    check("cuFuncLoad", Calls.load(function.handle()));
    return function.handle();
  }

  private CUmodule load(String file) {
    String resource = FOLDER + file + ".ptx";
    try (InputStream in = Modules.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("no resource " + resource);
      }
      String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      if (overlap()) {
        text = text.replace(MARK, "").replace(".target sm_80", ".target sm_90");
      }
      CUmodule module = new CUmodule();
      byte[] terminated = (text + '\0').getBytes(StandardCharsets.US_ASCII);
      check("cuModuleLoadData", JCudaDriver.cuModuleLoadData(module, terminated));
      return module;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
