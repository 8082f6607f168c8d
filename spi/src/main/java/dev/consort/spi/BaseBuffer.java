// SPDX-License-Identifier: Apache-2.0
package dev.consort.spi;

import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Stable;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** A buffer that is freed once and says so when it is used afterwards. Thread safe. */
@Stable(since = "1.0")
public abstract class BaseBuffer implements Buffer {
  private final BufferType type;
  private final long bytes;
  private final AtomicBoolean closed = new AtomicBoolean();

  protected BaseBuffer(BufferType type, long bytes) {
    this.type = type;
    this.bytes = bytes;
  }

  @Override
  public final BufferType type() {
    return type;
  }

  @Override
  public final long bytes() {
    return bytes;
  }

  /** Not visible to the host, unless overridden. */
  @Override
  public Optional<MemorySegment> host() {
    return Optional.empty();
  }

  /** Throws CLOSED after closing. */
  protected final void check() {
    if (closed.get()) {
      throw ConsortException.of(ErrorCode.CLOSED, "the buffer was closed")
          .device(type.device())
          .build();
    }
  }

  /** Frees the memory; called once. */
  protected abstract void free();

  @Override
  public final void close() {
    if (!closed.getAndSet(true)) {
      free();
    }
  }
}
