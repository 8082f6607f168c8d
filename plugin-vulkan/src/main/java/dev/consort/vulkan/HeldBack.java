// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Work of a stream that can't be submitted yet: what follows a wait for something that has no place
 * in a queue so far. A submitted wait would stop a queue that others share, and with a single queue
 * for ever. A thread, started at first need, runs the work in order, each piece as soon as its wait
 * is over; when nothing is left, the stream submits directly again.
 */
final class HeldBack implements AutoCloseable {
  /** A piece of work; may block. */
  interface Work {
    void run() throws InterruptedException;
  }

  private final Queue<Work> work = new ArrayDeque<>();
  private final Consumer<Throwable> onError;
  private final String name;
  private @Nullable Thread thread;
  private boolean closed;

  HeldBack(String name, Consumer<Throwable> onError) {
    this.name = name;
    this.onError = onError;
  }

  /** Whether later work must queue up behind what is held back. */
  synchronized boolean isActive() {
    return !work.isEmpty();
  }

  synchronized void add(Work piece) {
    work.add(piece);
    notifyAll();
    if (thread == null) {
      thread = Thread.ofPlatform().daemon().name(name).unstarted(this::serve);
      thread.start();
    }
  }

  private void serve() {
    try {
      while (true) {
        Work piece = next();
        if (piece == null) {
          return;
        }
        try {
          piece.run();
          done();
        } catch (RuntimeException | Error e) {
          onError.accept(e);
          cancel();
        }
      }
    } catch (InterruptedException e) {
      cancel();
    }
  }

  /** The oldest piece, which stays listed while it runs; nothing once closed. */
  private synchronized @Nullable Work next() throws InterruptedException {
    while (work.isEmpty() && !closed) {
      wait();
    }
    return work.peek();
  }

  private synchronized void done() {
    work.poll();
    notifyAll();
  }

  private synchronized void cancel() {
    work.clear();
    notifyAll();
  }

  /** Blocks until nothing is held back. */
  synchronized void await() throws InterruptedException {
    while (!work.isEmpty()) {
      wait();
    }
  }

  /** Gives up what is held back and ends the thread. */
  @Override
  public void close() {
    Thread serving;
    synchronized (this) {
      closed = true;
      notifyAll();
      serving = thread;
      if (serving != null && !work.isEmpty()) {
        serving.interrupt();
      }
    }
    if (serving != null && serving != Thread.currentThread()) {
      try {
        serving.join(5000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
