// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.CommMember;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Storage;
import dev.consort.api.WirePolicy;
import dev.consort.tck.memory.Access;
import dev.consort.tck.reference.Adversary.Site;
import dev.consort.tck.reference.Command.Placement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** A comm of reference devices: who comes last adds the terms up in member order. */
final class ReferenceComm implements Comm {
  private final List<ReferenceBackend> members;
  private final List<Member> handles;
  private final WirePolicy wire;
  private final Meeting meeting;
  private volatile boolean closed;

  private ReferenceComm(List<ReferenceBackend> members, WirePolicy wire) {
    this.members = members;
    this.wire = wire;
    this.handles =
        IntStream.range(0, members.size()).mapToObj(rank -> new Member(this, rank)).toList();
    this.meeting = new Meeting(members, wire);
  }

  /** Backends of one plugin, each once. */
  static Optional<Comm> init(List<Backend> members, WirePolicy wire) {
    List<ReferenceBackend> own = new ArrayList<>();
    for (Backend member : members) {
      if (!(member instanceof ReferenceBackend backend) || own.contains(backend)) {
        return Optional.empty();
      }
      own.add(backend);
    }
    boolean onePlugin =
        own.stream().map(backend -> backend.device().info().plugin()).distinct().count() <= 1;
    return onePlugin && !own.isEmpty()
        ? Optional.of(new ReferenceComm(own, wire))
        : Optional.empty();
  }

  @Override
  public List<Backend> members() {
    return List.copyOf(members);
  }

  @Override
  public WirePolicy wire() {
    return wire;
  }

  @Override
  public synchronized void allreduce(List<Storage> partials) {
    requireOpen();
    if (partials.size() != members.size()
        || partials.stream().map(p -> p.tensor().shape().elements()).distinct().count() != 1) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found %s, expected one tensor a member for %d members, of equal sizes"
              .formatted(partials.stream().map(Storage::tensor).toList(), members.size()));
    }
    for (int rank = 0; rank < members.size(); rank++) {
      Storage partial = partials.get(rank);
      Member member = handles.get(rank);
      Operand operand =
          new Operand(
              partial.tensor(),
              ReferenceBackend.own(partial.buffer())
                  .memory(partial.offset(), partial.tensor().bytes()));
      members
          .get(rank)
          .enqueue(
              Site.COLLECTIVE,
              new Command(
                  "allreduce",
                  List.of(Access.of(partial, 0, partial.tensor().bytes(), Access.Kind.WRITE)),
                  stream -> {
                    member.reduce(operand, operand, stream);
                    return Stream.DONE;
                  },
                  Placement.IN_STREAM,
                  member::cancel));
    }
  }

  @Override
  public boolean records() {
    return true;
  }

  @Override
  public CommMember member(int rank) {
    return handles.get(rank);
  }

  @Override
  public void close() {
    closed = true;
  }

  private void requireOpen() {
    if (closed) {
      throw new ConsortException(ErrorCode.CLOSED, "the comm was closed");
    }
  }

  static Member own(CommMember member) {
    if (member instanceof Member own) {
      return own;
    }
    throw new ConsortException(
        ErrorCode.INVALID_ARGUMENT, "the comm's member is of another plugin");
  }

  /** One member's side. */
  record Member(ReferenceComm comm, int rank) implements CommMember {

    void requireOf(ReferenceBackend backend) {
      if (comm.members.get(rank) != backend) {
        throw new ConsortException(
            ErrorCode.INVALID_ARGUMENT,
            "found member %d of a comm, which is not the backend that compiles".formatted(rank));
      }
    }

    /** Blocks the stream until all members have come. */
    void reduce(Operand partial, Operand sum, Stream stream) throws InterruptedException {
      comm.requireOpen();
      float[] elements = Flat.read(partial);
      Flat.write(sum, comm.meeting.join(rank, elements));
    }

    void cancel(ConsortException failure) {
      comm.meeting.fail("member %d failed: %s".formatted(rank, failure.getMessage()), failure);
    }

    @Override
    public String toString() {
      return "member " + rank;
    }
  }
}
