// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.wrap;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.CopyTensor;
import dev.consort.api.Device;
import dev.consort.api.Event;
import dev.consort.api.GetTensor2d;
import dev.consort.api.Graph;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.SetTensor2d;
import dev.consort.api.Storage;
import java.lang.foreign.MemorySegment;

/** A backend that does what another does. */
public class DelegatingBackend implements Backend {
  private final DelegatingDevice device;
  private final Backend delegate;

  protected DelegatingBackend(DelegatingDevice device, Backend delegate) {
    this.device = device;
    this.delegate = delegate;
  }

  @Override
  public final Device device() {
    return device;
  }

  protected final Backend delegate() {
    return delegate;
  }

  @Override
  public Schedule schedule(Graph graph) {
    return delegate.schedule(graph);
  }

  @Override
  public Plan compile(Graph graph, Schedule schedule, Allocation allocation) {
    return new DelegatingPlan(this, delegate.compile(graph, schedule, allocation));
  }

  @Override
  public void submit(Plan plan) {
    delegate.submit(plan instanceof DelegatingPlan wrapped ? wrapped.delegate() : plan);
  }

  @Override
  public void set(Storage to, long offset, MemorySegment from) {
    delegate.set(to, offset, from);
  }

  @Override
  public void get(Storage from, long offset, MemorySegment to) {
    delegate.get(from, offset, to);
  }

  @Override
  public void copy(Storage from, long fromOffset, Storage to, long toOffset, long bytes) {
    delegate.copy(from, fromOffset, to, toOffset, bytes);
  }

  @Override
  public void record(Event event) {
    delegate.record(DelegatingEvent.unwrap(event));
  }

  @Override
  public void await(Event event) {
    delegate.await(DelegatingEvent.unwrap(event));
  }

  @Override
  public void synchronize() {
    delegate.synchronize();
  }

  @Override
  public void close() {
    delegate.close();
  }

  /** A write by {@code set_tensor_2d_async}. */
  protected void set2d(
      SetTensor2d by,
      Storage to,
      long offset,
      long toStride,
      MemorySegment from,
      long fromStride,
      long rowBytes,
      long rows) {
    by.set(delegate, to, offset, toStride, from, fromStride, rowBytes, rows);
  }

  /** A read by {@code get_tensor_2d_async}. */
  protected void get2d(
      GetTensor2d by,
      Storage from,
      long offset,
      long fromStride,
      MemorySegment to,
      long toStride,
      long rowBytes,
      long rows) {
    by.get(delegate, from, offset, fromStride, to, toStride, rowBytes, rows);
  }

  /** A copy by {@code copy_tensor_async}, this being the source. */
  protected void copyTo(
      CopyTensor by,
      Storage from,
      long fromOffset,
      Backend toBackend,
      Storage to,
      long toOffset,
      long bytes) {
    by.copy(delegate, from, fromOffset, unwrap(toBackend), to, toOffset, bytes);
  }

  static Backend unwrap(Backend backend) {
    return backend instanceof DelegatingBackend wrapped ? wrapped.delegate : backend;
  }

  @Override
  public String toString() {
    return delegate.toString();
  }
}
