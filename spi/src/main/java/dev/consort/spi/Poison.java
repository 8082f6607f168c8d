// SPDX-License-Identifier: Apache-2.0
package dev.consort.spi;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Stable;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Remembers a device's first failure; from then on whoever asks gets it. Thread safe. */
@Stable(since = "1.0")
public final class Poison {
  private final Device device;
  private final AtomicReference<@Nullable ConsortException> failure = new AtomicReference<>();

  public Poison(Device device) {
    this.device = device;
  }

  /** Keeps the first failure and returns it as an exception of the device. */
  public ConsortException fail(String operation, String message, Throwable cause) {
    ConsortException made =
        ConsortException.of(ErrorCode.DEVICE_FAILED, message)
            .device(device)
            .operation(operation)
            .cause(cause)
            .build();
    failure.compareAndSet(null, made);
    return made;
  }

  public boolean isPoisoned() {
    return failure.get() != null;
  }

  /** Throws if the device failed before, with the first failure as the cause. */
  public void check() {
    ConsortException first = failure.get();
    if (first != null) {
      throw ConsortException.of(
              ErrorCode.DEVICE_FAILED,
              "the device failed before and is no longer used: " + first.getMessage())
          .device(device)
          .cause(first)
          .build();
    }
  }
}
