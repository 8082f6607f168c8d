// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.DataType;
import dev.consort.api.Event;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.wrap.DelegatingBackend;
import dev.consort.tck.wrap.DelegatingDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A member's commands reach its backend once each, in order, whoever's thread carries them. */
@Timeout(60)
class SubmitterTest {
  private static final int COMMANDS = 60_000;

  /** Writes down the offsets of all writes instead of doing them. */
  private static final class Recorder extends DelegatingBackend {
    private final List<Long> offsets = new ArrayList<>();

    Recorder(DelegatingDevice device, Backend delegate) {
      super(device, delegate);
    }

    @Override
    public void set(Storage to, long offset, MemorySegment from) {
      synchronized (offsets) {
        offsets.add(offset);
      }
    }
  }

  @Test
  void everyCommandIsCarriedOutOnceInOrder() {
    ReferenceDevice bare = new ReferenceDevice(0);
    Recorder backend = new Recorder(new DelegatingDevice(bare), bare.createBackend());
    Failure failure = new Failure();
    Tensor tensor = new GraphBuilder().input("x", DataType.I32, Shape.of(COMMANDS));
    try (Submitter submitter = new Submitter(0, backend, failure, new Waiting(2, failure));
        Event done = bare.createEvent();
        Allocation memory = bare.bufferType().allocate(List.of(tensor));
        Arena arena = Arena.ofShared()) {
      MemorySegment four = arena.allocate(4);
      Storage storage = memory.storage(tensor);
      for (int i = 0; i < COMMANDS; i++) {
        if (i % 7 == 0) {
          // Queues; what follows is carried by the thread, or by the caller once that is idle.
          submitter.await(done);
          if (i % 2 == 0) {
            submitter.drain();
          }
        }
        submitter.set(storage, 4L * i, four);
      }
      submitter.drain();
      assertThat(failure.isSet()).isFalse();
      assertThat(backend.offsets).hasSize(COMMANDS);
      for (int i = 0; i < COMMANDS; i++) {
        assertThat(backend.offsets.get(i)).isEqualTo(4L * i);
      }
    }
  }
}
