// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.ConsortException;
import dev.consort.tck.memory.Access;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * One piece of work in a stream.
 *
 * @param accesses the bytes it touches
 * @param body the work
 * @param placement whether the stream does it itself
 * @param cancel what to do instead once the stream has failed
 */
record Command(
    String label,
    List<Access> accesses,
    Body body,
    Placement placement,
    Consumer<ConsortException> cancel) {

  /** Who does the work. */
  enum Placement {
    /** The stream's thread, which goes on when it is done. */
    IN_STREAM,
    /** A thread of its own; what touches the same bytes waits for it. */
    CARRIED
  }

  /** The work, which may end later than the call. */
  interface Body {
    CompletableFuture<?> run(Stream stream) throws Exception;
  }

  /** Work that is done when the call returns. */
  interface Work {
    void run() throws Exception;
  }

  static Command of(String label, List<Access> accesses, Placement placement, Work work) {
    return new Command(
        label,
        accesses,
        stream -> {
          work.run();
          return Stream.DONE;
        },
        placement,
        failure -> {});
  }

  boolean conflicts(List<Access> others) {
    return accesses.stream().anyMatch(a -> others.stream().anyMatch(a::conflicts));
  }
}
