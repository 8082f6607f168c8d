// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.wrap;

import dev.consort.api.Device;
import dev.consort.api.Event;
import java.time.Duration;

/** An event of a wrapped device. */
public class DelegatingEvent implements Event {
  private final DelegatingDevice device;
  private final Event delegate;

  protected DelegatingEvent(DelegatingDevice device, Event delegate) {
    this.device = device;
    this.delegate = delegate;
  }

  @Override
  public final Device device() {
    return device;
  }

  @Override
  public boolean isDone() {
    return delegate.isDone();
  }

  @Override
  public void await(Duration timeout) {
    delegate.await(timeout);
  }

  @Override
  public void close() {
    delegate.close();
  }

  /** The host is about to let work wait for it. */
  protected void armed() {}

  /** The host signals it. */
  protected void signalled() {}

  static Event unwrap(Event event) {
    return event instanceof DelegatingEvent wrapped ? wrapped.delegate : event;
  }
}
