// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.spi.Poison;
import dev.consort.tck.reference.Adversary.Trait;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A thread that does commands in order. Carried commands run beside it; whatever touches the same
 * bytes, and every event, waits for them.
 */
final class Stream {
  static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);
  private static final Command STOP =
      new Command("stop", List.of(), stream -> DONE, Command.Placement.IN_STREAM, failure -> {});

  /** A carried command that is not done yet, as far as the stream knows. */
  private record Flight(Command command, CompletableFuture<?> done) {}

  private final Device device;
  private final Poison poison;
  private final Mischief mischief;
  private final BlockingQueue<Command> queue = new LinkedBlockingQueue<>();
  private final List<Flight> flights = new ArrayList<>();
  private final AtomicBoolean cancelled = new AtomicBoolean();
  private volatile @Nullable ConsortException broken;
  private final Thread thread;

  Stream(Device device, Poison poison, Mischief mischief, String name) {
    this.device = device;
    this.poison = poison;
    this.mischief = mischief;
    this.thread = Thread.ofPlatform().daemon().name(name).start(this::run);
  }

  void enqueue(Command command) {
    queue.add(command);
  }

  /** Everything that was carried off so far; to be asked on the stream's thread. */
  CompletableFuture<Void> carried() {
    return CompletableFuture.allOf(
        flights.stream().map(Flight::done).toArray(CompletableFuture[]::new));
  }

  /**
   * Ends the thread after what was enqueued; cancels that when it takes longer than the patience.
   */
  void close(Duration patience) {
    if (poison.isPoisoned()) {
      cancel();
    }
    queue.add(STOP);
    try {
      if (!thread.join(patience)) {
        cancel();
        thread.join(Duration.ofSeconds(10));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void cancel() {
    cancelled.set(true);
    thread.interrupt();
  }

  private void run() {
    while (true) {
      Command command = next();
      if (command == STOP) {
        flights.forEach(flight -> settle(flight.done()));
        return;
      }
      if (cancelled.get() || broken != null || poison.isPoisoned()) {
        command.cancel().accept(failure());
        continue;
      }
      try {
        pause();
        waitForConflicts(command);
        start(command);
      } catch (InterruptedException e) {
        command.cancel().accept(failure());
      } catch (Throwable e) {
        command
            .cancel()
            .accept(broken != null ? failure() : poison.fail(command.label(), message(e), e));
      }
    }
  }

  private Command next() {
    while (true) {
      try {
        return queue.take();
      } catch (InterruptedException e) {
        // Only cancelling interrupts; the commands are still to be told.
        continue;
      }
    }
  }

  private void start(Command command) throws Exception {
    if (command.placement() == Command.Placement.IN_STREAM) {
      finishLater(command, command.body().run(this));
      return;
    }
    CompletableFuture<Void> done = new CompletableFuture<>();
    flights.add(new Flight(command, done));
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                pause();
                command.body().run(this);
                done.complete(null);
              } catch (Throwable e) {
                done.completeExceptionally(poison.fail(command.label(), message(e), e));
              }
            });
  }

  private void finishLater(Command command, CompletableFuture<?> done) {
    if (!done.isDone() || done.isCompletedExceptionally()) {
      flights.add(new Flight(command, done));
    }
  }

  private void waitForConflicts(Command command) throws InterruptedException {
    List<Flight> landed = new ArrayList<>();
    for (Flight flight : flights) {
      if (command.conflicts(flight.command().accesses())) {
        await(flight.done());
        landed.add(flight);
      } else if (flight.done().isDone() && !flight.done().isCompletedExceptionally()) {
        landed.add(flight);
      }
    }
    flights.removeAll(landed);
  }

  /** Waits on the stream's thread; a failure of what is waited for becomes this device's. */
  void await(CompletableFuture<?> future) throws InterruptedException {
    try {
      future.get();
    } catch (ExecutionException e) {
      throw new ConsortException(ErrorCode.DEVICE_FAILED, message(e.getCause()), e.getCause());
    }
  }

  /**
   * Waits for what another stream does; if that failed, this stream ends here, its device does not.
   */
  void awaitOther(CompletableFuture<?> future) throws InterruptedException {
    try {
      future.get();
    } catch (ExecutionException e) {
      broken =
          ConsortException.of(
                  ErrorCode.DEVICE_FAILED,
                  "what the stream waited for failed: " + message(e.getCause()))
              .device(device)
              .operation("await")
              .cause(e.getCause())
              .build();
      throw broken;
    }
  }

  /** Throws if the stream has ended early. */
  void check() {
    ConsortException failure = broken;
    if (failure != null) {
      throw failure;
    }
  }

  /** Stands still until the stream is cancelled. */
  void hang() throws InterruptedException {
    while (!cancelled.get() && !poison.isPoisoned()) {
      Thread.sleep(1);
    }
    throw new InterruptedException("cancelled");
  }

  private void pause() {
    long nanos = mischief.delay(Trait.DELAYS);
    if (nanos > 0) {
      LockSupport.parkNanos(nanos);
    }
  }

  private ConsortException failure() {
    ConsortException early = broken;
    if (early != null) {
      return early;
    }
    try {
      poison.check();
    } catch (ConsortException e) {
      return e;
    }
    return ConsortException.of(ErrorCode.CLOSED, "cancelled by closing the backend")
        .device(device)
        .build();
  }

  private static void settle(CompletableFuture<?> future) {
    try {
      future.get();
    } catch (ExecutionException e) {
      // The failure has reached the poison already.
      return;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String message(Throwable e) {
    return e.getMessage() == null ? e.toString() : e.getMessage();
  }
}
