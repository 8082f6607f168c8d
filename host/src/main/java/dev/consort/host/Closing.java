// SPDX-License-Identifier: Apache-2.0
package dev.consort.host;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import org.jspecify.annotations.Nullable;

/** Closes several things, each whatever becomes of the others. */
public final class Closing {
  private Closing() {}

  /**
   * Closes all, in order.
   *
   * @throws ConsortException the first failure, when all have been closed; the others are its
   *     suppressed ones. INTERNAL for one of another kind
   */
  public static void all(Iterable<? extends AutoCloseable> things) {
    @Nullable Throwable first = close(things);
    if (first instanceof ConsortException known) {
      throw known;
    }
    if (first instanceof Error error) {
      throw error;
    }
    if (first != null) {
      throw new ConsortException(
          ErrorCode.INTERNAL, "closing failed: " + first.getMessage(), first);
    }
  }

  /** The same while another failure is under way, which says more. */
  public static void quietly(Iterable<? extends AutoCloseable> things) {
    close(things);
  }

  private static @Nullable Throwable close(Iterable<? extends AutoCloseable> things) {
    @Nullable Throwable first = null;
    for (AutoCloseable each : things) {
      try {
        each.close();
      } catch (Throwable e) {
        if (e instanceof InterruptedException) {
          Thread.currentThread().interrupt();
        }
        if (first == null) {
          first = e;
        } else if (first != e) {
          first.addSuppressed(e);
        }
      }
    }
    return first;
  }
}
