// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Backend;
import dev.consort.api.Event;
import dev.consort.api.Storage;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A slot of a submitter's queue: what to do next. Reused, so that a queue makes no garbage. */
final class Command {
  /** What a slot holds. */
  enum Kind {
    RUN,
    SET,
    SET_BYTES,
    GET,
    COPY,
    RECORD,
    AWAIT,
    AWAIT_META
  }

  Kind kind = Kind.RUN;
  @Nullable MetaPlan plan;
  @Nullable Storage storage;
  @Nullable Storage other;
  @Nullable Rectangle rectangle;
  @Nullable MemorySegment segment;
  @Nullable Event event;
  @Nullable Submitter submitter;
  MetaEvent.@Nullable Recording recording;
  long number;

  /** Hands it to the member's backend; may wait for other members. */
  void run(int member, Backend backend, Transfers transfers, Waiting waiting) {
    switch (kind) {
      case RUN -> given(plan).run(member, backend);
      case SET_BYTES -> backend.set(given(storage), number, given(segment));
      case SET -> transfers.set(given(storage), given(rectangle), given(segment));
      case GET -> transfers.get(given(storage), given(rectangle), given(segment));
      case COPY -> {
        Rectangle r = given(rectangle);
        backend.copy(given(storage), r.localOffset(), given(other), r.localOffset(), r.rowBytes());
      }
      case RECORD -> backend.record(given(event));
      case AWAIT -> waiting.until(given(event));
      case AWAIT_META -> {
        given(submitter).awaitFinished(number, waiting);
        waiting.until(given(event));
      }
    }
  }

  private static <T> T given(@Nullable T field) {
    return Objects.requireNonNull(field);
  }
}
