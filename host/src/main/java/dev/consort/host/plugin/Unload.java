// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

/** Whether a retired generation has left the process's memory. */
public enum Unload {
  /** It is not retired, or shares the program's class loader and stays as long as that. */
  NOT_DUE,
  /** It was closed, but its class loader is still in memory. */
  PENDING,
  /** Its class loader was collected. */
  COLLECTED
}
