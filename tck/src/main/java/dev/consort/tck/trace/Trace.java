// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.trace;

import dev.consort.tck.memory.Access;
import dev.consort.tck.memory.Access.Kind;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** What was asked of some streams, in the order of the calls. Thread safe. */
public final class Trace {
  /** Which calls of the host are taken to be in order. */
  public enum HostOrder {
    /** All, as they happened: threads are trusted to hand over to each other properly. */
    ALL_CALLS,
    /** Only those of one thread. */
    EACH_THREAD
  }

  /** One call. The host is a stream too, named by the trace. */
  sealed interface Entry {
    /** The host's stream that called. */
    String host();
  }

  /** Work of one stream. */
  record Work(String host, String stream, String label, List<Access> accesses) implements Entry {}

  /** A copy between two streams, ordered in both by its bytes alone. */
  record Transfer(String host, String from, String to, Access read, Access write)
      implements Entry {}

  /** A joint point of streams; the n-th accesses are the n-th stream's. */
  record Collective(String host, List<String> streams, List<Access> accesses) implements Entry {}

  record Recorded(String host, String stream, Moment moment) implements Entry {}

  record Awaited(String host, String stream, Moment moment) implements Entry {}

  /** The host signals a moment that work may wait for already. */
  record Signalled(String host, Moment moment) implements Entry {}

  /** The host saw that a moment had come. */
  record Seen(String host, Moment moment) implements Entry {}

  record Synchronized(String host, String stream) implements Entry {}

  /** The host itself reads or writes its memory. */
  record Touched(String host, Access access) implements Entry {}

  /** What one recording of an event, or one arming of a host's event, stands for. */
  static final class Moment {
    private final String name;

    Moment(String name) {
      this.name = name;
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private final HostOrder order;
  private final List<Entry> entries = new ArrayList<>();
  private int streams;
  private int moments;

  /** A trace that takes all calls of the host as ordered. */
  public Trace() {
    this(HostOrder.ALL_CALLS);
  }

  public Trace(HostOrder order) {
    this.order = order;
  }

  /** The calling thread is about to read these bytes itself. */
  public void hostReads(MemorySegment bytes) {
    add(new Touched(host(), Access.of(bytes, Kind.READ)));
  }

  /** The calling thread is about to write these bytes itself. */
  public void hostWrites(MemorySegment bytes) {
    add(new Touched(host(), Access.of(bytes, Kind.WRITE)));
  }

  /** Number of calls so far. */
  public synchronized int size() {
    return entries.size();
  }

  synchronized void add(Entry entry) {
    entries.add(entry);
  }

  synchronized List<Entry> entries() {
    return List.copyOf(entries);
  }

  synchronized String newStream(String device) {
    return device + " stream " + streams++;
  }

  synchronized Moment newMoment(String kind) {
    return new Moment(kind + " " + moments++);
  }

  String host() {
    return order == HostOrder.ALL_CALLS ? "host" : "thread " + Thread.currentThread().threadId();
  }
}
