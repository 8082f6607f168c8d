// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Stands for its latest recording. */
final class ReferenceEvent implements Event {
  private final Device device;
  private volatile Moment moment = Moment.PAST;
  private volatile boolean closed;

  ReferenceEvent(Device device) {
    this.device = device;
  }

  /** A new recording. */
  Moment renew() {
    if (closed) {
      throw ConsortException.of(ErrorCode.CLOSED, "the event was closed").device(device).build();
    }
    Moment next = Moment.pending();
    moment = next;
    return next;
  }

  Moment moment() {
    return moment;
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public boolean isDone() {
    var done = moment.done();
    if (done.isCompletedExceptionally()) {
      throw failed(done.exceptionNow());
    }
    return done.isDone();
  }

  @Override
  public void await(Duration timeout) {
    try {
      moment.done().get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw ConsortException.of(ErrorCode.TIMEOUT, "the event did not come within " + timeout)
          .device(device)
          .build();
    } catch (ExecutionException e) {
      throw failed(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ConsortException.of(ErrorCode.TIMEOUT, "interrupted waiting for an event")
          .device(device)
          .cause(e)
          .build();
    }
  }

  private ConsortException failed(Throwable cause) {
    return ConsortException.of(
            ErrorCode.DEVICE_FAILED, "the stream failed before the event: " + cause.getMessage())
        .device(device)
        .cause(cause)
        .build();
  }

  @Override
  public void close() {
    closed = true;
  }
}
