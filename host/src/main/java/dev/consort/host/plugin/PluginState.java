// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

/** Where a plugin stands. */
public enum PluginState {
  /** Its devices can be used. */
  ACTIVE,
  /** It works but found no driver or device, which is no error. */
  UNAVAILABLE,
  /** It could not be started; the status names the reason. */
  FAILED
}
