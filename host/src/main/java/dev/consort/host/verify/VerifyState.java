// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.verify;

/** What became of a test. */
public enum VerifyState {
  PASSED("passed"),
  FAILED("failed"),
  /** The device says that it can't, or has not the capability, or has it excluded for good. */
  UNSUPPORTED("unsupported"),
  /** It failed, as the plugin declares. */
  EXPECTED_FAILURE("expected failure"),
  /** The JVM ended during the test, or was ended because it said nothing for too long. */
  CRASHED("crashed");

  private final String label;

  VerifyState(String label) {
    this.label = label;
  }

  /** As reports have it. */
  public String label() {
    return label;
  }
}
