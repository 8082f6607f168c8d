// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

import static dev.consort.cuda.driver.CudaError.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * Kernel launches recorded once into a graph, in order, and replayed as often as it is launched.
 */
public final class Recording implements AutoCloseable {
  /** sizeof(CUlaunchConfig). */
  private static final long CONFIG_BYTES = 56;

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
        launches.forEach(launch -> launch(launch, stream));
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

  private static void launch(Launch launch, Stream stream) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment config = arena.allocate(CONFIG_BYTES, 8);
      int[] words = {
        launch.x(), launch.y(), launch.z(), launch.threads(), 1, 1, launch.sharedBytes()
      };
      for (int i = 0; i < words.length; i++) {
        config.setAtIndex(ValueLayout.JAVA_INT, i, words[i]);
      }
      config.set(ValueLayout.JAVA_LONG, 32, stream.handle());
      MemorySegment arguments = arena.allocate(launch.arguments().length, 16);
      arguments.copyFrom(MemorySegment.ofArray(launch.arguments()));
      MemorySegment pointers = arena.allocate(8, 8);
      pointers.set(ValueLayout.ADDRESS, 0, arguments);
      check("cuLaunchKernelEx", Calls.launch(config, launch.function(), pointers));
    }
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
