// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/**
 * The typed name of an optional capability.
 *
 * @param name such as {@code comm_init}; third parties put a prefix of their own before it
 * @param version major version of the contract; other versions are other capabilities
 * @param type the interface that is asked for
 */
@Stable(since = "1.0")
public record ProcAddress<T>(String name, int version, Class<T> type) {
  @Override
  public String toString() {
    return name + "/" + version;
  }
}
