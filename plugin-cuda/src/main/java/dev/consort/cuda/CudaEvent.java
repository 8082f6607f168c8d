// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.cuda.driver.CudaError;
import dev.consort.cuda.driver.Marker;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A CUDA event. Waits made in a stream keep to the recording that they found. */
final class CudaEvent implements Event {
  private static final int SPINS = 2000;
  private static final long NAP_NANOS = 20_000;

  private final CudaDevice device;
  private final Marker marker = new Marker();
  private volatile @Nullable CudaBackend recorder;
  private volatile boolean closed;

  /** In the device's context. */
  CudaEvent(CudaDevice device) {
    this.device = device;
  }

  /** Makes it stand for what the stream was asked for so far. */
  void record(CudaBackend backend) {
    marker().record(backend.stream());
    recorder = backend;
  }

  Marker marker() {
    if (closed) {
      throw ConsortException.of(ErrorCode.CLOSED, "the event was closed").device(device).build();
    }
    return marker;
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public boolean isDone() {
    device.poison().check();
    try {
      device.gpu().bind();
      if (!marker().isDone()) {
        return false;
      }
      device.host().settle();
    } catch (CudaError e) {
      throw device.fail("event", e);
    }
    CudaBackend by = recorder;
    if (by != null) {
      by.checkComms();
    }
    return true;
  }

  @Override
  public void await(Duration timeout) {
    long start = System.nanoTime();
    long limit = nanos(timeout);
    for (int i = 0; !isDone(); i++) {
      if (System.nanoTime() - start > limit) {
        throw ConsortException.of(ErrorCode.TIMEOUT, "an event was not reached within " + timeout)
            .device(device)
            .build();
      }
      if (i < SPINS) {
        Thread.onSpinWait();
      } else {
        LockSupport.parkNanos(NAP_NANOS);
      }
    }
  }

  private static long nanos(Duration timeout) {
    try {
      return timeout.toNanos();
    } catch (ArithmeticException e) {
      return Long.MAX_VALUE;
    }
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      device.gpu().bind();
      marker.close();
    } catch (CudaError e) {
      if (!device.poison().isPoisoned()) {
        throw device.fail("event", e);
      }
    }
  }
}
