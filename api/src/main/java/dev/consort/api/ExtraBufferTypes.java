// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.List;

/** {@code extra_buffer_types}: memory in which weights have a layout that suits the device. */
@Experimental(since = "1.0")
public interface ExtraBufferTypes {
  /** The most preferred first. */
  List<BufferType> bufferTypes();

  /**
   * Whether the weight may lie in that type when {@code user} reads it.
   *
   * @param user a node of which {@code weight} is a source
   */
  Support accepts(BufferType type, Tensor weight, Tensor user);
}
