// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.trace;

import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.Device;
import dev.consort.api.Event;
import dev.consort.api.Storage;
import dev.consort.tck.memory.Access;
import dev.consort.tck.trace.Trace.Moment;
import dev.consort.tck.wrap.DelegatingBackend;
import dev.consort.tck.wrap.DelegatingComm;
import dev.consort.tck.wrap.DelegatingDevice;
import dev.consort.tck.wrap.DelegatingEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A device that writes down what is asked of it, and has another do it. */
public final class TracingDevice extends DelegatingDevice {
  private final Trace trace;

  public TracingDevice(Device delegate, Trace trace) {
    super(delegate);
    this.trace = trace;
  }

  Trace trace() {
    return trace;
  }

  @Override
  protected DelegatingBackend wrap(Backend backend) {
    return new TracingBackend(this, backend, trace.newStream(info().id()));
  }

  @Override
  protected DelegatingEvent wrap(Event event) {
    return new TracingEvent(this, event);
  }

  @Override
  protected Comm wrap(Comm comm, List<Backend> members) {
    return new TracingComm(comm, members);
  }

  /** Knows which moment it stands for. */
  static final class TracingEvent extends DelegatingEvent {
    private final Trace trace;
    private volatile @Nullable Moment moment;

    TracingEvent(TracingDevice device, Event delegate) {
      super(device, delegate);
      this.trace = device.trace();
    }

    @Nullable Moment moment() {
      return moment;
    }

    void moment(Moment latest) {
      moment = latest;
    }

    @Override
    public boolean isDone() {
      Moment asked = moment;
      boolean done = super.isDone();
      if (done) {
        seen(asked);
      }
      return done;
    }

    @Override
    public void await(Duration timeout) {
      Moment asked = moment;
      super.await(timeout);
      seen(asked);
    }

    private void seen(@Nullable Moment asked) {
      if (asked != null) {
        trace.add(new Trace.Seen(trace.host(), asked));
      }
    }

    @Override
    protected void armed() {
      moment = trace.newMoment("host signal");
    }

    @Override
    protected void signalled() {
      Moment armed = moment;
      if (armed != null) {
        trace.add(new Trace.Signalled(trace.host(), armed));
      }
    }
  }

  private final class TracingComm extends DelegatingComm {
    TracingComm(Comm delegate, List<Backend> members) {
      super(delegate, members);
    }

    @Override
    public void allreduce(List<Storage> partials) {
      List<String> streams = new ArrayList<>();
      List<Access> accesses = new ArrayList<>();
      for (int rank = 0; rank < partials.size(); rank++) {
        streams.add(TracingBackend.stream(members().get(rank)));
        Storage partial = partials.get(rank);
        accesses.add(Access.of(partial, 0, partial.tensor().bytes(), Access.Kind.WRITE));
      }
      trace.add(new Trace.Collective(trace.host(), streams, accesses));
      super.allreduce(partials);
    }
  }
}
