// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.memory;

import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Offsets for the intermediate tensors of a list of pieces that run one after another: the largest
 * first, each at the lowest offset where no tensor lies that may be in use at the same time (greedy
 * by size; Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020).
 */
public final class Layout {
  /** A tensor's place: which of the buffers, and bytes from its start. */
  public record Place(Tensor tensor, int buffer, long offset, long bytes) {
    long end() {
      return offset + bytes;
    }
  }

  private final List<Place> places = new ArrayList<>();
  private final List<Long> bufferBytes = new ArrayList<>();
  private final long scratchBytes;
  private final BufferType type;

  /**
   * @param received tensors that something outside the pieces writes, by the index of the piece
   *     that they must be in place for
   * @param given tensors that something outside the pieces reads, by the index of the piece after
   *     which it does, and before the next one
   * @param placed which tensors have a place elsewhere
   * @param kept tensors that are read from outside after the last piece
   */
  public Layout(
      BufferType type,
      List<Piece> pieces,
      Map<Tensor, Integer> received,
      Map<Tensor, Integer> given,
      Predicate<Tensor> placed,
      Collection<Tensor> kept) {
    this.type = type;
    this.scratchBytes =
        align(pieces.stream().mapToLong(p -> p.schedule().scratchBytes()).max().orElse(0));
    var lifetimes = new Lifetimes(type, pieces, received, given, placed, kept);
    List<Lifetime> bySize = new ArrayList<>(lifetimes.all());
    bySize.sort(Comparator.comparingLong(Lifetime::bytes).reversed());
    List<Lifetime> done = new ArrayList<>();
    for (Lifetime lifetime : bySize) {
      place(lifetime, done, lifetimes.order());
      done.add(lifetime);
    }
  }

  public List<Place> places() {
    return places;
  }

  /** The size of each buffer that is needed. */
  public List<Long> bufferBytes() {
    return bufferBytes;
  }

  /** The largest scratch memory that a piece asks for. */
  public long scratchBytes() {
    return scratchBytes;
  }

  private void place(Lifetime lifetime, List<Lifetime> done, HappensBefore order) {
    long bytes = align(Math.max(1, lifetime.bytes()));
    if (bytes > type.maxBytes()) {
      throw ConsortException.of(
              ErrorCode.OUT_OF_MEMORY,
              "%s needs %d bytes, but a buffer of %s holds at most %d; use a smaller micro-batch"
                  .formatted(lifetime.tensor(), bytes, type.name(), type.maxBytes()))
          .device(type.device())
          .build();
    }
    List<Place> conflicts = new ArrayList<>();
    for (int i = 0; i < done.size(); i++) {
      if (lifetime.excludes(done.get(i), order)) {
        conflicts.add(places.get(i));
      }
    }
    conflicts.sort(Comparator.comparingInt(Place::buffer).thenComparingLong(Place::offset));
    int buffer = 0;
    long offset = 0;
    for (Place other : conflicts) {
      if (other.buffer() != buffer) {
        if (offset + bytes <= type.maxBytes()) {
          break;
        }
        buffer = other.buffer();
        offset = 0;
      }
      if (other.offset() - offset >= bytes) {
        break;
      }
      offset = Math.max(offset, other.end());
    }
    if (offset + bytes > type.maxBytes()) {
      buffer++;
      offset = 0;
    }
    places.add(new Place(lifetime.tensor(), buffer, offset, bytes));
    while (bufferBytes.size() <= buffer) {
      bufferBytes.add(0L);
    }
    bufferBytes.set(buffer, Math.max(bufferBytes.get(buffer), offset + bytes));
  }

  private long align(long bytes) {
    return (bytes + type.alignment() - 1) & -type.alignment();
  }
}
