// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Storage;
import dev.consort.tck.memory.Access;
import dev.consort.tck.reference.Adversary.Fault;
import dev.consort.tck.reference.Adversary.Site;
import dev.consort.tck.reference.Adversary.Trait;
import dev.consort.tck.reference.Command.Placement;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A stream of a reference device. */
final class ReferenceBackend implements Backend {
  private static final Duration LONGEST_SYNCHRONIZE = Duration.ofMinutes(2);

  private final ReferenceDevice device;
  private final Stream stream;
  private volatile boolean closed;

  ReferenceBackend(ReferenceDevice device, int number) {
    this.device = device;
    this.stream =
        new Stream(
            device, device.poison(), device.mischief(), device.info().id() + " stream " + number);
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public Schedule schedule(Graph graph) {
    return device.mischief().has(Trait.BRANCHES)
        ? Branches.schedule(graph)
        : Schedule.sequential(graph);
  }

  @Override
  public Plan compile(Graph graph, Schedule schedule, Allocation allocation) {
    check();
    return new ReferencePlan(this, graph, schedule, allocation);
  }

  @Override
  public void submit(Plan plan) {
    if (!(plan instanceof ReferencePlan own) || own.backend() != this) {
      throw refuse("the plan was compiled by another backend; submit it there");
    }
    own.requireOpen();
    enqueue(
        Site.SUBMIT,
        new Command(
            "submit",
            own.accesses(),
            on -> {
              own.run(on);
              return Stream.DONE;
            },
            Placement.IN_STREAM,
            own::cancel));
  }

  @Override
  public void set(Storage to, long offset, MemorySegment from) {
    Transfers.set(this, to, offset, from);
  }

  @Override
  public void get(Storage from, long offset, MemorySegment to) {
    Transfers.get(this, from, offset, to);
  }

  @Override
  public void copy(Storage from, long fromOffset, Storage to, long toOffset, long bytes) {
    Transfers.copy(this, from, fromOffset, to, toOffset, bytes);
  }

  @Override
  public void record(Event event) {
    ReferenceEvent own = own(event);
    if (own.device() != device) {
      throw refuse("the event is of " + own.device().info().id());
    }
    check();
    Optional<Fault> fault = device.mischief().at(Site.RECORD);
    CompletableFuture<Void> moment = own.renew().done();
    long late = device.mischief().delay(Trait.LATE_EVENTS);
    enqueue(
        faulty(
            fault,
            new Command(
                "record",
                List.of(),
                on -> {
                  on.carried().whenComplete((done, failure) -> complete(moment, failure, late));
                  return moment;
                },
                Placement.IN_STREAM,
                moment::completeExceptionally)));
  }

  private static void complete(CompletableFuture<Void> moment, Throwable failure, long late) {
    if (failure != null) {
      moment.completeExceptionally(failure);
    } else if (late == 0) {
      moment.complete(null);
    } else {
      CompletableFuture.delayedExecutor(late, TimeUnit.NANOSECONDS)
          .execute(() -> moment.complete(null));
    }
  }

  @Override
  public void await(Event event) {
    if (!(event instanceof ReferenceEvent other) || !samePlugin(other.device())) {
      throw ConsortException.of(
              ErrorCode.UNSUPPORTED, "found an event of another plugin, expected one of this one's")
          .device(device)
          .build();
    }
    CompletableFuture<Void> moment = other.moment().done();
    enqueue(
        Site.AWAIT,
        new Command(
            "await",
            List.of(),
            on -> {
              on.awaitOther(moment);
              return Stream.DONE;
            },
            Placement.IN_STREAM,
            failure -> {}));
  }

  @Override
  public void synchronize() {
    check();
    CompletableFuture<Void> done = new CompletableFuture<>();
    stream.enqueue(
        new Command(
            "synchronize",
            List.of(),
            on -> {
              on.carried().whenComplete((nothing, failure) -> complete(done, failure, 0));
              return Stream.DONE;
            },
            Placement.IN_STREAM,
            done::completeExceptionally));
    try {
      done.get(LONGEST_SYNCHRONIZE.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure(ErrorCode.TIMEOUT, "interrupted", e);
    } catch (TimeoutException e) {
      throw failure(ErrorCode.TIMEOUT, "not done within " + LONGEST_SYNCHRONIZE, e);
    } catch (ExecutionException e) {
      throw failure(ErrorCode.DEVICE_FAILED, e.getCause().getMessage(), e.getCause());
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      stream.close(device.options().patience());
    }
  }

  void enqueue(Site site, String label, List<Access> accesses, Command.Work work) {
    Placement placement =
        device.mischief().has(Trait.CARRIED_TRANSFERS) ? Placement.CARRIED : Placement.IN_STREAM;
    enqueue(site, Command.of(label, accesses, placement, work));
  }

  void enqueue(Site site, Command command) {
    check();
    enqueue(faulty(device.mischief().at(site), command));
  }

  void enqueue(Command command) {
    check();
    stream.enqueue(command);
  }

  private static Command faulty(Optional<Fault> fault, Command command) {
    return fault
        .map(
            what ->
                new Command(
                    command.label(),
                    command.accesses(),
                    stream -> {
                      if (what == Fault.NEVER_DONE) {
                        stream.hang();
                      }
                      throw new IllegalStateException("the device was lost on purpose");
                    },
                    Placement.IN_STREAM,
                    command.cancel()))
        .orElse(command);
  }

  private boolean samePlugin(Device other) {
    return other.info().plugin().equals(device.info().plugin());
  }

  private void check() {
    requireOpen();
    device.poison().check();
    stream.check();
  }

  private void requireOpen() {
    if (closed) {
      throw ConsortException.of(ErrorCode.CLOSED, "the backend was closed").device(device).build();
    }
  }

  private ConsortException refuse(String message) {
    return ConsortException.of(ErrorCode.INVALID_ARGUMENT, message).device(device).build();
  }

  private ConsortException failure(ErrorCode code, String message, Throwable cause) {
    return ConsortException.of(code, message)
        .device(device)
        .operation("synchronize")
        .cause(cause)
        .build();
  }

  static ReferenceBackend own(Backend backend) {
    if (backend instanceof ReferenceBackend own) {
      return own;
    }
    throw foreign("backend", backend);
  }

  /** A buffer that this backend's plugin made. */
  ReferenceBuffer near(Buffer buffer) {
    ReferenceBuffer own = own(buffer);
    if (!samePlugin(own.type().device())) {
      throw foreign("buffer", buffer);
    }
    return own;
  }

  static ReferenceBuffer own(Buffer buffer) {
    if (buffer instanceof ReferenceBuffer own) {
      return own;
    }
    throw foreign("buffer", buffer);
  }

  static ReferenceEvent own(Event event) {
    if (event instanceof ReferenceEvent own) {
      return own;
    }
    throw foreign("event", event);
  }

  private static ConsortException foreign(String what, Object found) {
    return ConsortException.of(
            ErrorCode.INVALID_ARGUMENT,
            "found a %s of class %s, expected one of this plugin's"
                .formatted(what, found.getClass().getName()))
        .plugin(ReferenceProvider.NAME)
        .build();
  }
}
