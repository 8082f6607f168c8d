// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Comm;
import dev.consort.api.Storage;
import java.util.List;

/** What the members do in a meeting, the same on all of them. */
sealed interface Purpose {
  MemberProgram.Meet meet();

  /** The givers' terms become their sum. */
  record Reduce(MemberProgram.Meet meet, boolean[] gives) implements Purpose {}

  /** The members' comm makes the sum, asked once for all of them, in their streams. */
  record Call(MemberProgram.Meet meet, Comm comm, List<Storage> terms) implements Purpose {}

  /** One member's bytes become everybody's. */
  record Broadcast(MemberProgram.Meet meet, int giver, long bytes) implements Purpose {}

  /** Slices become the whole; {@code slices} says for each member which bytes it gives. */
  record Gather(MemberProgram.Meet meet, Rectangle[][] slices) implements Purpose {}
}
