// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/** {@code host_signal}: lets submitted work wait for the host. */
@Stable(since = "1.0")
public interface HostSignal {
  /** An event that the host signals; {@link Backend#await} accepts it. */
  Event createEvent();

  /** Makes the next wait's event pending; call before submitting the wait. */
  void arm(Event event);

  /** The event is done: work that waits for it starts. */
  void signal(Event event);
}
