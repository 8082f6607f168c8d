// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static dev.consort.cuda.driver.CudaError.check;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_INTEGRATED;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/**
 * One device of the driver, and its primary context once it is used. Calls that work in the context
 * are made after {@link #bind()} on the same thread.
 */
public final class Gpu implements AutoCloseable {
  private final int index;
  private final CUdevice device = new CUdevice();
  private final String name;
  private final int major;
  private final int minor;
  private final int processors;
  private final boolean integrated;
  private final int mostShared;
  private final Set<Gpu> peers = new HashSet<>();
  private @Nullable CUcontext context;
  private @Nullable Modules modules;

  Gpu(int index) {
    this.index = index;
    check("cuDeviceGet", JCudaDriver.cuDeviceGet(device, index));
    byte[] text = new byte[256];
    check("cuDeviceGetName", JCudaDriver.cuDeviceGetName(text, text.length, device));
    int length = 0;
    while (length < text.length && text[length] != 0) {
      length++;
    }
    this.name = new String(text, 0, length, StandardCharsets.UTF_8);
    this.major = attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
    this.minor = attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    this.processors = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    this.integrated = attribute(CU_DEVICE_ATTRIBUTE_INTEGRATED) != 0;
    this.mostShared = attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
  }

  private int attribute(int which) {
    int[] value = new int[1];
    check("cuDeviceGetAttribute", JCudaDriver.cuDeviceGetAttribute(value, which, device));
    return value[0];
  }

  public int index() {
    return index;
  }

  public String name() {
    return name;
  }

  /** Ten times the major version and the minor. */
  public int computeCapability() {
    return 10 * major + minor;
  }

  public int processors() {
    return processors;
  }

  /** Bytes of shared memory that a block can have. */
  public int mostShared() {
    return mostShared;
  }

  public boolean isIntegrated() {
    return integrated;
  }

  /** The driver's version as people write it: {@code 13.0}. */
  public static String driverVersion() {
    int[] version = new int[1];
    check("cuDriverGetVersion", JCudaDriver.cuDriverGetVersion(version));
    return version[0] / 1000 + "." + version[0] % 1000 / 10;
  }

  /** Makes the context the calling thread's; starts the device at the first call. */
  public void bind() {
    check("cuCtxSetCurrent", JCudaDriver.cuCtxSetCurrent(context()));
  }

  private synchronized CUcontext context() {
    CUcontext made = context;
    if (made == null) {
      made = new CUcontext();
      check("cuDevicePrimaryCtxRetain", JCudaDriver.cuDevicePrimaryCtxRetain(made, device));
      context = made;
    }
    return made;
  }

  /** The kernels, compiled by the driver when first asked for. */
  public synchronized Modules modules() {
    Modules made = modules;
    if (made == null) {
      made = new Modules(computeCapability());
      modules = made;
    }
    return made;
  }

  /** Free and total bytes. */
  public long[] memory() {
    bind();
    long[] free = new long[1];
    long[] total = new long[1];
    check("cuMemGetInfo", JCudaDriver.cuMemGetInfo(free, total));
    return new long[] {free[0], total[0]};
  }

  /** Lets this device reach the other's memory; false where the hardware can't. */
  public synchronized boolean reach(Gpu other) {
    if (other == this || peers.contains(other)) {
      return true;
    }
    int[] can = new int[1];
    check("cuDeviceCanAccessPeer", JCudaDriver.cuDeviceCanAccessPeer(can, device, other.device));
    if (can[0] == 0) {
      return false;
    }
    CUcontext theirs = other.context();
    bind();
    int result = JCudaDriver.cuCtxEnablePeerAccess(theirs, 0);
    if (result != CUresult.CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED) {
      check("cuCtxEnablePeerAccess", result);
    }
    peers.add(other);
    return true;
  }

  /** Copies between any two addresses, in the stream. */
  public static void copy(long to, long from, long bytes, Stream stream) {
    check("cuMemcpyAsync", Calls.copyAsync(to, from, bytes, stream.handle()));
  }

  /** Releases the context and all that was made in it. */
  @Override
  public synchronized void close() {
    if (context != null) {
      context = null;
      modules = null;
      check("cuDevicePrimaryCtxRelease", JCudaDriver.cuDevicePrimaryCtxRelease(device));
    }
  }
}
