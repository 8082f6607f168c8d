// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/** {@code host_buffer_type}: host memory that the device reads and writes faster (pinned). */
@Stable(since = "1.0")
public interface HostBufferType {
  /** Its buffers answer {@link Buffer#host()}. */
  BufferType hostBufferType();
}
