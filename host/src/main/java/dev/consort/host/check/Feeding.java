// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.check;

/** How tokens go in. */
public enum Feeding {
  /** All in one batch. */
  BATCH,
  /** One at a time. */
  STEP
}
