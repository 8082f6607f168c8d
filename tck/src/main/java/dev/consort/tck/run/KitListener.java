// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.run;

/** Hears of each test as it starts and ends. */
public interface KitListener {
  void started(String section, String test);

  void finished(KitResult result);
}
