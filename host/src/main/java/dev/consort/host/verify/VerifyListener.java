// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.verify;

/** Hears how far a verification is. */
public interface VerifyListener {
  /** The plugin answered; there are about so many tests. */
  void planned(String plugin, String device, int tests);

  void started(String section, String test);

  void finished(VerifyResult result);
}
