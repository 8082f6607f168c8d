// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** Makes a file's pieces on several threads, until all are there or one fails. */
public final class WritePool {
  /** One thread's means; made, used and closed by that thread. */
  public interface Worker extends AutoCloseable {
    /** Makes a piece and returns its bytes. */
    long make(int piece);

    @Override
    void close();
  }

  private final int pieces;
  private final long bytes;
  private final WriteProgress progress;
  private final AtomicInteger next = new AtomicInteger();
  private long done;

  private WritePool(int pieces, long bytes, WriteProgress progress) {
    this.pieces = pieces;
    this.bytes = bytes;
    this.progress = progress;
  }

  /**
   * Makes pieces 0 to {@code pieces - 1}, in about that order; blocks until all are made.
   *
   * @param bytes of all pieces together
   * @throws ConsortException what a worker threw, or IO
   */
  public static void run(
      int pieces, long bytes, int threads, WriteProgress progress, Supplier<Worker> workers) {
    WritePool pool = new WritePool(pieces, bytes, progress);
    int count = Math.max(1, Math.min(threads, pieces));
    try (ExecutorService executor = Executors.newFixedThreadPool(count)) {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        running.add(executor.submit(() -> pool.work(workers)));
      }
      for (Future<?> each : running) {
        each.get();
      }
    } catch (ExecutionException e) {
      throw e.getCause() instanceof ConsortException known
          ? known
          : new ConsortException(ErrorCode.IO, "writing failed: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ConsortException(ErrorCode.IO, "writing was interrupted", e);
    }
  }

  private void work(Supplier<Worker> workers) {
    try (Worker worker = workers.get()) {
      for (int at = next.getAndIncrement(); at < pieces; at = next.getAndIncrement()) {
        report(worker.make(at));
      }
    } finally {
      next.set(pieces);
    }
  }

  private synchronized void report(long made) {
    done += made;
    progress.written(done, bytes);
  }
}
