// SPDX-License-Identifier: Apache-2.0

/** Ends the comparison with a message and an exit code. */
final class Failure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  static final int BELOW_BAR = 1;
  static final int USAGE = 2;
  static final int SIDE_FAILED = 3;

  private final int exitCode;

  private Failure(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  static Failure usage(String message) {
    return new Failure(USAGE, message);
  }

  static Failure side(String message) {
    return new Failure(SIDE_FAILED, message);
  }

  int exitCode() {
    return exitCode;
  }
}
