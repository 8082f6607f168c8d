// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** The driver of this machine. */
public final class Driver {
  /** There is no driver or no device; the message says which. */
  public static final class Unavailable extends Exception {
    private static final long serialVersionUID = 1L;

    Unavailable(String message) {
      super(message);
    }
  }

  static final String LIBRARY =
      System.getProperty("os.name").startsWith("Windows") ? "nvcuda.dll" : "libcuda.so.1";

  private Driver() {}

  /** The devices; none of them is started. */
  public static List<Gpu> open() throws Unavailable {
    try {
      SymbolLookup.libraryLookup(LIBRARY, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new Unavailable("no CUDA driver was found (" + LIBRARY + ")");
    }
    int[] number = new int[1];
    try {
      int result = JCudaDriver.cuInit(0);
      if (result == CUresult.CUDA_SUCCESS) {
        result = JCudaDriver.cuDeviceGetCount(number);
      }
      if (result != CUresult.CUDA_SUCCESS) {
        throw new Unavailable(
            "the CUDA driver found no device that works: " + CUresult.stringFor(result));
      }
    } catch (LinkageError e) {
      throw new Unavailable("JCuda's library for this system does not load: " + e.getMessage());
    }
    List<Gpu> gpus = new ArrayList<>();
    for (int i = 0; i < number[0]; i++) {
      gpus.add(new Gpu(i));
    }
    return gpus;
  }
}
