// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Plan;
import dev.consort.cuda.driver.CudaError;
import dev.consort.cuda.driver.Launch;
import dev.consort.cuda.driver.Recording;
import dev.consort.cuda.driver.Stream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A CUDA graph, launched as often as the plan is submitted. */
final class CudaPlan implements Plan {
  private final CudaBackend backend;
  private final @Nullable Recording recording;
  private final int launches;
  private boolean closed;

  /** In the backend's context. */
  CudaPlan(CudaBackend backend, List<Launch> launches) {
    this.backend = backend;
    this.launches = launches.size();
    this.recording = launches.isEmpty() ? null : Recording.of(launches);
  }

  @Override
  public CudaBackend backend() {
    return backend;
  }

  int launches() {
    return launches;
  }

  boolean isClosed() {
    return closed;
  }

  void launch(Stream stream) {
    if (recording != null) {
      recording.launch(stream);
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    backend.drain();
    try {
      backend.device().gpu().bind();
      if (recording != null) {
        recording.close();
      }
    } catch (CudaError e) {
      if (!backend.device().poison().isPoisoned()) {
        throw backend.device().fail("close", e);
      }
    }
  }
}
