// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ErrorCode;

/** What the process ends with; documented in docs/cli.md. */
enum ExitCode {
  OK(0),
  INTERNAL(1),
  USAGE(2),
  NOT_FOUND(3),
  UNSUPPORTED(4),
  INVALID_FILE(5),
  IO(6),
  OUT_OF_MEMORY(7),
  PLUGIN_FAILED(8),
  DEVICE_FAILED(9),
  TIMEOUT(10),
  /** A check ran and did not pass. */
  CHECK_FAILED(11);

  private final int number;

  ExitCode(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  static ExitCode of(ErrorCode code) {
    return switch (code) {
      case INVALID_ARGUMENT -> USAGE;
      case NOT_FOUND -> NOT_FOUND;
      case UNSUPPORTED -> UNSUPPORTED;
      case INVALID_FILE -> INVALID_FILE;
      case IO -> IO;
      case OUT_OF_MEMORY -> OUT_OF_MEMORY;
      case PLUGIN_FAILED -> PLUGIN_FAILED;
      case DEVICE_FAILED -> DEVICE_FAILED;
      case TIMEOUT -> TIMEOUT;
      case CLOSED, INTERNAL -> INTERNAL;
    };
  }
}
