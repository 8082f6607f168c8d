// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.trace;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.CopyTensor;
import dev.consort.api.Event;
import dev.consort.api.GetTensor2d;
import dev.consort.api.Graph;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.SetTensor2d;
import dev.consort.api.Storage;
import dev.consort.tck.memory.Access;
import dev.consort.tck.memory.Access.Kind;
import dev.consort.tck.memory.PlanAccesses;
import dev.consort.tck.trace.Trace.Moment;
import dev.consort.tck.trace.TracingDevice.TracingEvent;
import dev.consort.tck.wrap.DelegatingBackend;
import dev.consort.tck.wrap.DelegatingPlan;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** A stream of a tracing device. What is written down is what the call means, before it is made. */
final class TracingBackend extends DelegatingBackend {
  private final Trace trace;
  private final String stream;

  TracingBackend(TracingDevice device, Backend delegate, String stream) {
    super(device, delegate);
    this.trace = device.trace();
    this.stream = stream;
  }

  /** The name of a backend's stream; one that is not traced has none of its own. */
  static String stream(Backend backend) {
    return backend instanceof TracingBackend traced ? traced.stream : "untraced " + backend;
  }

  private static final class TracedPlan extends DelegatingPlan {
    private final List<Access> accesses;

    TracedPlan(Backend backend, Plan delegate, List<Access> accesses) {
      super(backend, delegate);
      this.accesses = accesses;
    }
  }

  @Override
  public Plan compile(Graph graph, Schedule schedule, Allocation allocation) {
    return new TracedPlan(
        this,
        delegate().compile(graph, schedule, allocation),
        PlanAccesses.of(graph, schedule.scratchBytes(), allocation));
  }

  @Override
  public void submit(Plan plan) {
    if (plan instanceof TracedPlan traced) {
      work("submit", traced.accesses);
    }
    super.submit(plan);
  }

  @Override
  public void set(Storage to, long offset, MemorySegment from) {
    work(
        "set",
        List.of(Access.of(from, Kind.READ), Access.of(to, offset, from.byteSize(), Kind.WRITE)));
    super.set(to, offset, from);
  }

  @Override
  public void get(Storage from, long offset, MemorySegment to) {
    work(
        "get",
        List.of(Access.of(from, offset, to.byteSize(), Kind.READ), Access.of(to, Kind.WRITE)));
    super.get(from, offset, to);
  }

  @Override
  public void copy(Storage from, long fromOffset, Storage to, long toOffset, long bytes) {
    work(
        "copy",
        List.of(
            Access.of(from, fromOffset, bytes, Kind.READ),
            Access.of(to, toOffset, bytes, Kind.WRITE)));
    super.copy(from, fromOffset, to, toOffset, bytes);
  }

  @Override
  protected void set2d(
      SetTensor2d by,
      Storage to,
      long offset,
      long toStride,
      MemorySegment from,
      long fromStride,
      long rowBytes,
      long rows) {
    List<Access> accesses = new ArrayList<>();
    for (long i = 0; i < rows; i++) {
      accesses.add(Access.of(from.asSlice(i * fromStride, rowBytes), Kind.READ));
      accesses.add(Access.of(to, offset + i * toStride, rowBytes, Kind.WRITE));
    }
    work("set 2d", accesses);
    super.set2d(by, to, offset, toStride, from, fromStride, rowBytes, rows);
  }

  @Override
  protected void get2d(
      GetTensor2d by,
      Storage from,
      long offset,
      long fromStride,
      MemorySegment to,
      long toStride,
      long rowBytes,
      long rows) {
    List<Access> accesses = new ArrayList<>();
    for (long i = 0; i < rows; i++) {
      accesses.add(Access.of(from, offset + i * fromStride, rowBytes, Kind.READ));
      accesses.add(Access.of(to.asSlice(i * toStride, rowBytes), Kind.WRITE));
    }
    work("get 2d", accesses);
    super.get2d(by, from, offset, fromStride, to, toStride, rowBytes, rows);
  }

  @Override
  protected void copyTo(
      CopyTensor by,
      Storage from,
      long fromOffset,
      Backend toBackend,
      Storage to,
      long toOffset,
      long bytes) {
    trace.add(
        new Trace.Transfer(
            trace.host(),
            stream,
            stream(toBackend),
            Access.of(from, fromOffset, bytes, Kind.READ),
            Access.of(to, toOffset, bytes, Kind.WRITE)));
    super.copyTo(by, from, fromOffset, toBackend, to, toOffset, bytes);
  }

  @Override
  public void record(Event event) {
    if (event instanceof TracingEvent traced) {
      Moment moment = trace.newMoment("event");
      trace.add(new Trace.Recorded(trace.host(), stream, moment));
      traced.moment(moment);
    }
    super.record(event);
  }

  @Override
  public void await(Event event) {
    if (event instanceof TracingEvent traced) {
      Moment moment = traced.moment();
      if (moment != null) {
        trace.add(new Trace.Awaited(trace.host(), stream, moment));
      }
    }
    super.await(event);
  }

  @Override
  public void synchronize() {
    super.synchronize();
    trace.add(new Trace.Synchronized(trace.host(), stream));
  }

  @Override
  public void close() {
    super.close();
    trace.add(new Trace.Synchronized(trace.host(), stream));
  }

  private void work(String label, List<Access> accesses) {
    trace.add(new Trace.Work(trace.host(), stream, label, accesses));
  }
}
