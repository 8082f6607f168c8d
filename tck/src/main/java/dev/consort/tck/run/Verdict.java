// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.run;

/** What became of a test. */
public enum Verdict {
  PASSED,
  FAILED,
  /** The device says that it can't, or has not the capability, or has it excluded for good. */
  UNSUPPORTED,
  /** It failed, as its declaration says that it does. */
  EXPECTED_FAILURE,
  /** The process ended during the test, or had to be ended. */
  CRASHED;

  /** Whether the device is as it should be, as far as this test can tell. */
  public boolean isGood() {
    return this != FAILED && this != CRASHED;
  }
}
