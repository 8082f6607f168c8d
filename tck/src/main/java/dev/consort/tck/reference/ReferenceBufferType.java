// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Tensor;
import dev.consort.tck.reference.Adversary.Site;
import dev.consort.tck.reference.Adversary.Trait;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** One of the kinds of memory of a reference device. */
final class ReferenceBufferType implements BufferType {
  /** Of no meaning as a float, too large as an index. */
  private static final byte DIRT = 0x7f;

  /** The kinds. */
  enum Kind {
    DEVICE("reference"),
    /** The host sees it. */
    HOST("reference_host"),
    /** Weights lie behind a header and scrambled; see {@link Scramble}. */
    SCRAMBLED("reference_scrambled");

    private final String label;

    Kind(String label) {
      this.label = label;
    }
  }

  private final ReferenceDevice device;
  private final Kind kind;

  ReferenceBufferType(ReferenceDevice device, Kind kind) {
    this.device = device;
    this.kind = kind;
  }

  @Override
  public String name() {
    return kind.label;
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public long alignment() {
    return device.options().alignment();
  }

  @Override
  public long maxBytes() {
    return device.options().maxBufferBytes();
  }

  @Override
  public boolean repacks() {
    return kind == Kind.SCRAMBLED;
  }

  @Override
  public long bytes(Tensor tensor) {
    return repacks() ? Scramble.bytes(tensor) : tensor.bytes();
  }

  @Override
  public Buffer allocate(long bytes) {
    if (bytes < 0 || bytes > maxBytes()) {
      throw ConsortException.of(
              ErrorCode.INVALID_ARGUMENT,
              "a buffer of %d bytes was asked for, the largest is %d".formatted(bytes, maxBytes()))
          .device(device)
          .build();
    }
    device.mischief().at(Site.ALLOCATE);
    device.poison().check();
    device.reserve(bytes);
    Arena arena = Arena.ofShared();
    MemorySegment memory = arena.allocate(bytes, Math.max(64, alignment()));
    if (device.mischief().has(Trait.DIRTY_MEMORY)) {
      memory.fill(DIRT);
    }
    return new ReferenceBuffer(
        this,
        memory,
        kind == Kind.HOST ? Optional.of(memory) : Optional.empty(),
        () -> {
          device.release(bytes);
          arena.close();
        });
  }
}
