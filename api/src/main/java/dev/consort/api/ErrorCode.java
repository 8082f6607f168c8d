// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/** What kind of thing went wrong; the exit codes of the command line follow from it. */
@Stable(since = "1.0")
public enum ErrorCode {
  /** The caller passed something that can't be meant. */
  INVALID_ARGUMENT,
  /** A name that nothing has: a device, a tensor, a file. */
  NOT_FOUND,
  /** A well-formed request that this device, model or build can't carry out. */
  UNSUPPORTED,
  /** A file's content is not what its format says. */
  INVALID_FILE,
  /** Reading or writing failed. */
  IO,
  /** A device or the host has no memory left for this. */
  OUT_OF_MEMORY,
  /** A plugin could not be loaded or broke its contract. */
  PLUGIN_FAILED,
  /** A device failed; its backends, buffers and comms are poisoned. */
  DEVICE_FAILED,
  /** Something was waited for that did not come in time. */
  TIMEOUT,
  /** The object was closed before. */
  CLOSED,
  /** A defect in the host itself. */
  INTERNAL
}
