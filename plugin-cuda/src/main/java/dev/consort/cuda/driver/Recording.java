// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static dev.consort.cuda.driver.CudaError.check;

import java.util.List;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * Kernel launches recorded once into a graph, in order, and replayed as often as it is launched.
 */
public final class Recording implements AutoCloseable {
  private final CUgraphExec graph;

  private Recording(CUgraphExec graph) {
    this.graph = graph;
  }

  /** Records in the current context. */
  public static Recording of(List<Launch> launches) {
    CUgraph graph = new CUgraph();
    try (Stream stream = new Stream()) {
      check(
          "cuStreamBeginCapture",
          JCudaDriver.cuStreamBeginCapture(
              stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
      try {
        launches.forEach(launch -> launch.enqueue(stream));
      } finally {
        JCudaDriver.cuStreamEndCapture(stream, graph);
      }
    }
    CUgraphExec made = new CUgraphExec();
    try {
      check("cuGraphInstantiate", JCudaDriver.cuGraphInstantiate(made, graph, 0));
    } finally {
      JCudaDriver.cuGraphDestroy(graph);
    }
    return new Recording(made);
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
