// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.Optional;

/**
 * A piece of hardware, or a software or virtual one. Listing devices is cheap; {@link
 * #createBackend()} may be slow. Thread safe.
 */
@Stable(since = "1.0")
public interface Device {
  DeviceInfo info();

  DeviceMemory memory();

  /** The memory that its operations like best. */
  BufferType bufferType();

  /**
   * Whether this device can compute {@code node} with sources of just these types, shapes and
   * strides. Weight sources are asked about as they lie in {@link #bufferType()}.
   */
  Support supports(Tensor node);

  /**
   * A new in-order stream. Several may exist at once; they are ordered by events alone.
   *
   * @throws ConsortException DEVICE_FAILED, OUT_OF_MEMORY
   */
  Backend createBackend();

  /** A new event, which counts as done until it is recorded. */
  Event createEvent();

  /**
   * An optional capability. The host uses the fallback named beside the key when it is absent.
   *
   * @throws ConsortException PLUGIN_FAILED if the plugin has something of that name and version
   *     that is not of the address's type, as when it brings its own copy of an interface
   */
  <T> Optional<T> find(ProcAddress<T> address);
}
