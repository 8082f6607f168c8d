// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;

/** Runs several things at once. */
final class Jobs {
  private Jobs() {}

  /** Their results in their order. Throws what the first one threw that did. */
  static <T> List<T> all(ExecutorService executor, List<Callable<T>> tasks) {
    List<Future<T>> futures = new ArrayList<>();
    tasks.forEach(task -> futures.add(executor.submit(task)));
    try {
      List<T> results = new ArrayList<>();
      for (Future<T> future : futures) {
        results.add(future.get());
      }
      return results;
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException known
          ? known
          : new ConsortException(ErrorCode.INTERNAL, "a cell group failed: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ConsortException(ErrorCode.TIMEOUT, "the matrix was interrupted", e);
    } finally {
      futures.forEach(future -> future.cancel(true));
    }
  }
}
