// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.Collection;

/** A kind of memory with its alignment and limits. Thread safe. */
@Stable(since = "1.0")
public interface BufferType {
  String name();

  Device device();

  /** Bytes; a power of two. Tensors start at multiples of it. */
  long alignment();

  /** The largest buffer, in bytes. */
  long maxBytes();

  /** Whether tensors here have another layout than their data type says; see ExtraBufferTypes. */
  boolean repacks();

  /** Bytes that a contiguous tensor takes here, at least {@link Tensor#bytes()}. */
  long bytes(Tensor tensor);

  /**
   * A new buffer, its content undefined.
   *
   * @throws ConsortException OUT_OF_MEMORY, INVALID_ARGUMENT above {@link #maxBytes()}
   */
  Buffer allocate(long bytes);

  /**
   * Places for tensors that live as long as the allocation: weights, states, inputs, outputs. They
   * are packed one after another into as few buffers as {@link #maxBytes()} allows.
   *
   * @throws ConsortException OUT_OF_MEMORY; nothing stays allocated
   */
  default Allocation allocate(Collection<Tensor> tensors) {
    return Packing.pack(this, tensors);
  }
}
