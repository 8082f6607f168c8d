// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.ConsortException;
import dev.consort.spi.Poison;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Runs the streams of a device on its one team of threads: a task, or a segment of a plan, of one
 * stream at a time, streams in turn. A stream that has to wait for another costs nothing.
 */
final class Executor implements AutoCloseable {
  /** From this size on a move is worth the whole team. */
  private static final long LARGE_MOVE = 1 << 20;

  private static final long SPIN_NANOS = 20_000;

  private final Kernels kernels;
  private final Poison poison;
  private final Team team;
  private final Placement placement;
  private final Thread thread;

  /** A monitor: who waits for it makes no garbage, as the queue of a lock would. */
  private final Object lock = new Object();

  private final Arena arena = Arena.ofShared();
  private final MemorySegment moveStep = arena.allocate(StepLayout.STEP_BYTES, 64);
  private volatile Stream[] ready = new Stream[16];
  private int readyHead;
  private volatile int readyCount;
  private int streams;
  private volatile boolean parked;
  private volatile boolean closed;
  private volatile int threads;

  Executor(Kernels kernels, Poison poison, String name, int threads, Placement placement) {
    this.kernels = kernels;
    this.poison = poison;
    this.threads = threads;
    this.placement = placement;
    this.team = new Team(kernels, name, placement);
    this.thread = new Thread(this::work, name + "-0");
    thread.setDaemon(true);
    thread.start();
  }

  int threads() {
    return threads;
  }

  void threads(int count) {
    threads = count;
  }

  /** To be called before a stream's first task. */
  void register() {
    synchronized (lock) {
      if (++streams > ready.length) {
        Stream[] more = new Stream[2 * ready.length];
        for (int i = 0; i < readyCount; i++) {
          more[i] = ready[(readyHead + i) % ready.length];
        }
        readyHead = 0;
        ready = more;
      }
    }
  }

  void unregister() {
    synchronized (lock) {
      streams--;
    }
  }

  /** A task to be filled, which nobody sees before {@link #push}. */
  Task begin(Stream stream) {
    synchronized (lock) {
      return stream.free();
    }
  }

  void push(Stream stream) {
    synchronized (lock) {
      stream.pushed();
      if (stream.state == Stream.State.IDLE) {
        makeReady(stream);
      }
    }
    if (parked) {
      LockSupport.unpark(thread);
    }
  }

  /** What the stream waited for has come. */
  void resume(Stream stream) {
    synchronized (lock) {
      if (stream.state == Stream.State.BLOCKED) {
        makeReady(stream);
      } else {
        stream.resumed = true;
      }
    }
    if (parked) {
      LockSupport.unpark(thread);
    }
  }

  /** Whether the stream has a task that it can go on with. */
  boolean isWorking(Stream stream) {
    synchronized (lock) {
      return stream.state == Stream.State.READY || stream.state == Stream.State.RUNNING;
    }
  }

  private void makeReady(Stream stream) {
    stream.state = Stream.State.READY;
    ready[(readyHead + readyCount) % ready.length] = stream;
    readyCount = readyCount + 1;
  }

  private void work() {
    placement.enter();
    for (Stream stream = take(); stream != null; stream = take()) {
      boolean blocked = false;
      try {
        blocked = !advance(stream);
      } catch (ConsortException e) {
        stream.fail(e);
      } catch (RuntimeException | Error e) {
        stream.fail(poison.fail("submit", "a kernel failed: " + e, e));
      }
      settle(stream, blocked);
    }
  }

  private void settle(Stream stream, boolean blocked) {
    synchronized (lock) {
      if (stream.failure() != null) {
        discard(stream);
      }
      boolean goesOn = !stream.isEmpty() && (!blocked || stream.resumed);
      stream.resumed = false;
      stream.state = stream.isEmpty() ? Stream.State.IDLE : Stream.State.BLOCKED;
      if (goesOn) {
        makeReady(stream);
      }
    }
  }

  /** Drops what a failed stream has left; who waits for its events learns why. */
  private void discard(Stream stream) {
    while (!stream.isEmpty()) {
      Task task = stream.first();
      if (task.kind == Task.Kind.RECORD && task.event != null) {
        task.event.complete(task.sequence, stream.failure());
      }
      stream.pop();
    }
  }

  private @Nullable Stream take() {
    long idleSince = System.nanoTime();
    for (int spins = 0; ; spins++) {
      if (readyCount > 0) {
        synchronized (lock) {
          Stream next = ready[readyHead];
          readyHead = (readyHead + 1) % ready.length;
          readyCount = readyCount - 1;
          next.state = Stream.State.RUNNING;
          return next;
        }
      }
      if (closed) {
        return null;
      }
      Thread.onSpinWait();
      if ((spins & 63) == 63 && System.nanoTime() - idleSince > SPIN_NANOS) {
        parked = true;
        while (readyCount == 0 && !closed) {
          LockSupport.park(this);
        }
        parked = false;
      }
    }
  }

  /** Runs a stream's first task, or a segment of it. False if it has to wait. */
  private boolean advance(Stream stream) {
    ConsortException failure = stream.failure();
    if (failure != null || stream.isEmpty()) {
      return true;
    }
    Task task = stream.first();
    boolean done =
        switch (task.kind) {
          case RUN -> runSegment(stream, task.plan);
          case MOVE -> move(task);
          case MOVE_2D -> move2d(task);
          case UNPACK -> unpack(task);
          case RECORD -> {
            task.event.complete(task.sequence, null);
            yield true;
          }
          case AWAIT -> await(stream, task);
          case REDUCE -> {
            CpuComm comm = task.member.comm();
            boolean last =
                comm.arrive(task.member.rank(), task.sequence, 0, task.offset, task.rows, 0);
            yield meet(stream, comm, last);
          }
        };
    if (done) {
      stream.pop();
    }
    return done || task.kind == Task.Kind.RUN && stream.blockedOn == null;
  }

  private boolean runSegment(Stream stream, CpuPlan plan) {
    CpuPlan.Segment segment = plan.segment(stream.segment);
    if (segment.isReduce()) {
      CpuCommMember member = segment.member();
      boolean last =
          member
              .comm()
              .arrive(
                  member.rank(),
                  segment.from(),
                  segment.steps(),
                  segment.to(),
                  segment.elements(),
                  plan.roomBytes());
      if (!meet(stream, member.comm(), last)) {
        return false;
      }
    } else {
      team.run(segment.steps(), segment.count(), threads, plan.roomBytes());
    }
    stream.segment++;
    return stream.segment == plan.segments();
  }

  /**
   * The stream has come to a collective. The last member to come runs it and moves the others on.
   * False if others have still to come.
   */
  private boolean meet(Stream stream, CpuComm comm, boolean last) {
    if (!last) {
      stream.blockedOn = comm;
      return false;
    }
    comm.run(team, threads);
    comm.leave();
    List<Stream> streams = comm.streams();
    for (int i = 0; i < streams.size(); i++) {
      if (streams.get(i) != stream) {
        moveOn(streams.get(i));
      }
    }
    return true;
  }

  /** A member that waited for a collective goes on behind it. */
  private void moveOn(Stream stream) {
    synchronized (lock) {
      if (stream.blockedOn == null) {
        return;
      }
      stream.blockedOn = null;
      Task task = stream.first();
      stream.segment++;
      if (task.kind == Task.Kind.REDUCE || stream.segment == task.plan.segments()) {
        stream.pop();
      }
      if (stream.isEmpty()) {
        stream.state = Stream.State.IDLE;
      } else {
        makeReady(stream);
      }
    }
  }

  /** Fails streams that wait where no one else will come, as a comm's do. From any thread. */
  void fail(Iterable<Stream> members, ConsortException because) {
    synchronized (lock) {
      for (Stream stream : members) {
        stream.fail(because);
        stream.blockedOn = null;
        if (stream.state == Stream.State.BLOCKED) {
          makeReady(stream);
        } else {
          stream.resumed = true;
        }
      }
    }
    LockSupport.unpark(thread);
  }

  private static boolean await(Stream stream, Task task) {
    if (!task.event.doneOrResume(task.sequence, stream)) {
      return false;
    }
    ConsortException failure = task.event.failure();
    if (failure != null) {
      throw failure;
    }
    return true;
  }

  private boolean move(Task task) {
    View packed = task.packed;
    if (task.rowBytes == 0) {
      return true;
    }
    if (packed == null && task.rowBytes < LARGE_MOVE) {
      MemorySegment.copy(task.from, task.fromStride, task.to, task.toStride, task.rowBytes);
      return true;
    }
    try (Arena temporary = Arena.ofConfined()) {
      MemorySegment from = task.from.asSlice(task.fromStride, task.rowBytes);
      if (!from.isNative()) {
        from = temporary.allocate(task.rowBytes, 64).copyFrom(from);
      }
      Step step = packed == null ? plainMove(task) : packingMove(task, packed);
      step.a(1, from.address()).a(2, task.rowBytes);
      step.barrier().write(moveStep);
      team.run(moveStep.address(), 1, threads, 4096);
    }
    return true;
  }

  private static Step plainMove(Task task) {
    long each = 1 << 18;
    return new Step(StepCode.MOVE, (task.rowBytes + each - 1) / each)
        .a(0, task.toStride)
        .a(3, each);
  }

  private static Step packingMove(Task task, View packed) {
    int block = packed.type().blockBytes();
    long each = task.offset % block == 0 ? block * 4096L : task.rowBytes;
    return new Step(StepCode.MOVE, (task.rowBytes + each - 1) / each)
        .a(0, packed.address())
        .a(3, each)
        .a(4, packed.shape().ne0())
        .a(5, packed.shape().ne1())
        .a(6, task.offset)
        .i(0, 1)
        .i(1, packed.type().ggufId());
  }

  private static boolean move2d(Task task) {
    for (long row = 0; row < task.rows; row++) {
      MemorySegment.copy(
          task.from,
          task.offset + row * task.fromStride,
          task.to,
          task.sequence + row * task.toStride,
          task.rowBytes);
    }
    return true;
  }

  private boolean unpack(Task task) {
    try (Arena temporary = Arena.ofConfined()) {
      MemorySegment to =
          task.to.isNative() ? task.to : temporary.allocate(Math.max(1, task.to.byteSize()));
      kernels.unpack(task.packed, task.offset, to);
      if (to != task.to) {
        task.to.copyFrom(to);
      }
    }
    return true;
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    Team.join(thread);
    team.close();
    arena.close();
  }
}
