// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The first failure among the members of a meta device. One failed member fails all: whoever waits
 * for another finds out here. Thread safe.
 */
final class Failure {
  private final AtomicReference<@Nullable ConsortException> first = new AtomicReference<>();

  void set(String member, Throwable cause) {
    ErrorCode code =
        cause instanceof ConsortException known ? known.code() : ErrorCode.DEVICE_FAILED;
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    first.compareAndSet(
        null,
        ConsortException.of(code, "member " + member + " failed: " + message)
            .plugin("meta")
            .cause(cause)
            .build());
  }

  boolean isSet() {
    return first.get() != null;
  }

  /** Whether somebody was waited for in vain, and perhaps still does not answer. */
  boolean isTimeout() {
    ConsortException failure = first.get();
    return failure != null && failure.code() == ErrorCode.TIMEOUT;
  }

  /** Throws the failure, if there is one, as a new exception of the calling thread. */
  void check() {
    ConsortException failure = first.get();
    if (failure != null) {
      throw new ConsortException(failure.code(), failure.getMessage(), failure);
    }
  }
}
