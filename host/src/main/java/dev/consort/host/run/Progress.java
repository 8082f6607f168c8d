// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

/** Hears how far long work has come. */
@FunctionalInterface
public interface Progress {
  Progress NONE = (done, total) -> {};

  void at(long done, long total);
}
