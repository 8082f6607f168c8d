// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/**
 * Where a tensor's data lie.
 *
 * @param offset bytes from the buffer's start to the tensor's first element
 */
@Stable(since = "1.0")
public record Storage(Tensor tensor, Buffer buffer, long offset) {}
