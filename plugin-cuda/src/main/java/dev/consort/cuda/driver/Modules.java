// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static dev.consort.cuda.driver.CudaError.check;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
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

  private final Map<String, CUmodule> modules = new HashMap<>();
  private final Map<String, Long> functions = new HashMap<>();

  Modules() {}

  /** The handle of a kernel. */
  public synchronized long function(String file, String name) {
    return functions.computeIfAbsent(name, key -> find(file, name));
  }

  private long find(String file, String name) {
    CUmodule module = modules.computeIfAbsent(file, Modules::load);
    Function function = new Function();
    check("cuModuleGetFunction", JCudaDriver.cuModuleGetFunction(function, module, name));
    return function.handle();
  }

  private static CUmodule load(String file) {
    String resource = FOLDER + file + ".ptx";
    try (InputStream in = Modules.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("no resource " + resource);
      }
      byte[] text = in.readAllBytes();
      CUmodule module = new CUmodule();
      byte[] terminated = Arrays.copyOf(text, text.length + 1);
      check("cuModuleLoadData", JCudaDriver.cuModuleLoadData(module, terminated));
      return module;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
