// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static dev.consort.cuda.driver.CudaError.check;

import java.util.List;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * Kernel launches recorded once into a graph, in order but for what stands beside the others, and
 * replayed as often as it is launched.
 */
public final class Recording implements AutoCloseable {
  private final CUgraphExec graph;

  private Recording(CUgraphExec graph) {
    this.graph = graph;
  }

  /**
   * Records in the current context. Blocks until the graph lies on the device: to bring it there
   * with its first launch takes memory, for which the driver may wait for all devices, and these
   * may wait in kernels for what is being launched.
   */
  public static Recording of(List<Launch> launches) {
    try (Stream stream = new Stream()) {
      CUgraphExec made = instantiate(capture(launches, stream));
      try {
        check("cuGraphUpload", JCudaDriver.cuGraphUpload(made, stream));
        stream.synchronize();
      } catch (CudaError e) {
        JCudaDriver.cuGraphExecDestroy(made);
        throw e;
      }
      return new Recording(made);
    }
  }

  private static CUgraph capture(List<Launch> launches, Stream stream) {
    CUgraph graph = new CUgraph();
    check(
        "cuStreamBeginCapture",
        JCudaDriver.cuStreamBeginCapture(
            stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    try {
      launches.forEach(launch -> launch.enqueue(stream));
    } finally {
      JCudaDriver.cuStreamEndCapture(stream, graph);
    }
    return graph;
  }

  private static CUgraphExec instantiate(CUgraph graph) {
    CUgraphExec made = new CUgraphExec();
    try {
      check("cuGraphInstantiate", JCudaDriver.cuGraphInstantiate(made, graph, 0));
    } finally {
      JCudaDriver.cuGraphDestroy(graph);
    }
    return made;
  }

  /** Runs it in the stream. */
  public void launch(Stream stream) {
    check("cuGraphLaunch", JCudaDriver.cuGraphLaunch(graph, stream));
  }

  @Override
  public void close() {
    check("cuGraphExecDestroy", JCudaDriver.cuGraphExecDestroy(graph));
  }
}
