// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static dev.consort.cuda.driver.CudaError.check;

import jcuda.Pointer;
import jcuda.driver.CUDA_MEMCPY2D;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUmemorytype;
import jcuda.driver.JCudaDriver;

/** Copies of rectangles between the device and pinned memory. */
public final class Rectangle {
  /** An address of either side. */
  private static final class Place extends CUdeviceptr {
    Place(long address) {
      super(new CUdeviceptr(), address);
    }
  }

  private static final class HostPlace extends Pointer {
    HostPlace(long address) {
      super(address);
    }
  }

  private Rectangle() {}

  /** To the device, in the stream. */
  public static void set(
      long to, long toStride, long from, long fromStride, long rowBytes, long rows, Stream stream) {
    CUDA_MEMCPY2D copy = extent(rowBytes, rows);
    copy.srcMemoryType = CUmemorytype.CU_MEMORYTYPE_HOST;
    copy.srcHost = new HostPlace(from);
    copy.srcPitch = fromStride;
    copy.dstMemoryType = CUmemorytype.CU_MEMORYTYPE_DEVICE;
    copy.dstDevice = new Place(to);
    copy.dstPitch = toStride;
    check("cuMemcpy2DAsync", JCudaDriver.cuMemcpy2DAsync(copy, stream));
  }

  /** From the device, in the stream. */
  public static void get(
      long from, long fromStride, long to, long toStride, long rowBytes, long rows, Stream stream) {
    CUDA_MEMCPY2D copy = extent(rowBytes, rows);
    copy.srcMemoryType = CUmemorytype.CU_MEMORYTYPE_DEVICE;
    copy.srcDevice = new Place(from);
    copy.srcPitch = fromStride;
    copy.dstMemoryType = CUmemorytype.CU_MEMORYTYPE_HOST;
    copy.dstHost = new HostPlace(to);
    copy.dstPitch = toStride;
    check("cuMemcpy2DAsync", JCudaDriver.cuMemcpy2DAsync(copy, stream));
  }

  private static CUDA_MEMCPY2D extent(long rowBytes, long rows) {
    CUDA_MEMCPY2D copy = new CUDA_MEMCPY2D();
    copy.WidthInBytes = rowBytes;
    copy.Height = rows;
    return copy;
  }
}
