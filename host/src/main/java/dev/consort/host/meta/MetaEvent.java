// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.host.Closing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A point in the streams of all members. A recording that others still have to wait for is kept
 * when the event is recorded again: their waits keep to the older point.
 */
final class MetaEvent implements Event {
  /** What one recording stands for; used again when nobody waits for it any more. */
  static final class Recording {
    private final List<Event> parts;
    private final long[] numbers;
    private final MetaBackend by;
    private int pending;
    private boolean abandoned;

    Recording(MetaBackend by) {
      MetaDevice device = (MetaDevice) by.device();
      this.by = by;
      this.parts = new ArrayList<>();
      try {
        device.members().forEach(member -> parts.add(member.createEvent()));
      } catch (RuntimeException | Error e) {
        Closing.quietly(parts);
        throw e;
      }
      this.numbers = new long[parts.size()];
    }

    private synchronized void isAwaited() {
      pending++;
    }

    /** One of the waits for it is over. */
    synchronized void wasAwaited() {
      pending--;
      closeIfUnused();
    }

    private synchronized boolean isUnused() {
      return pending == 0;
    }

    /** Closes the parts when the last wait for them is over. */
    private synchronized void abandon() {
      abandoned = true;
      closeIfUnused();
    }

    private void closeIfUnused() {
      if (abandoned && pending == 0) {
        parts.forEach(Event::close);
      }
    }
  }

  private final MetaDevice device;
  private final List<Recording> made = new ArrayList<>();
  private volatile @Nullable Recording latest;
  private boolean closed;

  MetaEvent(MetaDevice device) {
    this.device = device;
  }

  synchronized void record(MetaBackend backend) {
    if (closed) {
      throw ConsortException.of(ErrorCode.CLOSED, "the event was closed").plugin("meta").build();
    }
    Recording recording = unused(backend);
    for (int m = 0; m < recording.parts.size(); m++) {
      Submitter submitter = backend.submitter(m);
      submitter.record(recording.parts.get(m));
      recording.numbers[m] = submitter.posted();
    }
    latest = recording;
  }

  private Recording unused(MetaBackend backend) {
    for (int i = 0; i < made.size(); i++) {
      Recording recording = made.get(i);
      if (recording.by == backend && recording.isUnused()) {
        return recording;
      }
    }
    Recording recording = new Recording(backend);
    made.add(recording);
    return recording;
  }

  /** Makes all streams of {@code waiter} wait for the latest recording on all members. */
  synchronized void holdBack(MetaBackend waiter) {
    Recording recording = latest;
    if (recording == null || recording.by == waiter) {
      return;
    }
    for (int w = 0; w < waiter.members(); w++) {
      for (int m = 0; m < recording.parts.size(); m++) {
        recording.isAwaited();
        waiter
            .submitter(w)
            .await(
                recording.parts.get(m), recording.by.submitter(m), recording.numbers[m], recording);
      }
    }
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public boolean isDone() {
    Recording recording = latest;
    if (recording == null) {
      return true;
    }
    recording.by.check();
    for (int m = 0; m < recording.parts.size(); m++) {
      if (!recording.by.submitter(m).hasFinished(recording.numbers[m])
          || !recording.parts.get(m).isDone()) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void await(Duration timeout) {
    Recording recording = latest;
    if (recording == null) {
      return;
    }
    long deadline = System.nanoTime() + timeout.toNanos();
    for (int m = 0; m < recording.parts.size(); m++) {
      Submitter recorder = recording.by.submitter(m);
      recorder.drain(recording.numbers[m], deadline);
      recording.by.check();
      long left = deadline - System.nanoTime();
      if (!recorder.hasFinished(recording.numbers[m])) {
        throw ConsortException.of(
                ErrorCode.TIMEOUT, "%s did not get there in %s".formatted(recorder.name(), timeout))
            .plugin("meta")
            .build();
      }
      if (!recording.parts.get(m).isDone()) {
        recording.parts.get(m).await(left > 0 ? Duration.ofNanos(left) : Duration.ZERO);
      }
    }
  }

  /** Waits made before go on; what they wait for is closed when they are over. */
  @Override
  public synchronized void close() {
    closed = true;
    made.forEach(Recording::abandon);
    made.clear();
  }
}
