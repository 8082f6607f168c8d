// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

/** A device computed something and it was wrong, which nothing excuses for good. */
final class WrongResult extends AssertionError {
  private static final long serialVersionUID = 1L;

  WrongResult(String message) {
    super(message);
  }
}
