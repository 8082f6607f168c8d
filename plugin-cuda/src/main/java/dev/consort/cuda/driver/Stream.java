// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static dev.consort.cuda.driver.CudaError.check;

import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/** A stream of the current context, which the default stream does not join. */
public final class Stream extends CUstream implements AutoCloseable {
  public Stream() {
    check(
        "cuStreamCreate", JCudaDriver.cuStreamCreate(this, CUstream_flags.CU_STREAM_NON_BLOCKING));
  }

  long handle() {
    return getNativePointer();
  }

  /** Blocks until everything in it is done. */
  public void synchronize() {
    check("cuStreamSynchronize", JCudaDriver.cuStreamSynchronize(this));
  }

  /** What comes from now on waits for the marker's latest recording. */
  public void await(Marker marker) {
    check("cuStreamWaitEvent", JCudaDriver.cuStreamWaitEvent(this, marker, 0));
  }

  @Override
  public void close() {
    check("cuStreamDestroy", JCudaDriver.cuStreamDestroy(this));
  }
}
