// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/** One member's side of a comm. The n-th reduce of each member's stream belongs together. */
@Experimental(since = "1.0")
public interface CommMember {
  Comm comm();

  /** This member's place in {@link Comm#members()}. */
  int rank();
}
