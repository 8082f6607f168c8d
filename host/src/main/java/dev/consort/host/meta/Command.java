// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Event;
import dev.consort.api.Storage;
import java.lang.foreign.MemorySegment;
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
}
