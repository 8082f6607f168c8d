// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Storage;
import dev.consort.tck.memory.Access;
import dev.consort.tck.memory.Access.Kind;
import dev.consort.tck.reference.Adversary.Site;
import dev.consort.tck.reference.Command.Placement;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Moving bytes. Every check is made when the call is made, every byte moves in the stream. */
final class Transfers {
  private Transfers() {}

  static void set(ReferenceBackend backend, Storage to, long offset, MemorySegment from) {
    ReferenceBuffer buffer = backend.near(to.buffer());
    List<Access> accesses;
    Command.Work work;
    if (buffer.type().repacks()) {
      long bytes = Scramble.bytes(to.tensor());
      MemorySegment place = buffer.memory(to.offset(), bytes);
      Scramble.check(to.tensor(), offset, from);
      accesses = List.of(Access.of(to, 0, bytes, Kind.WRITE), Access.of(from, Kind.READ));
      work = () -> Scramble.pack(from, place);
    } else {
      MemorySegment place = place(backend, to, offset, from.byteSize());
      accesses =
          List.of(Access.of(to, offset, from.byteSize(), Kind.WRITE), Access.of(from, Kind.READ));
      work = () -> place.copyFrom(from);
    }
    backend.enqueue(Site.SET, "set", accesses, work);
  }

  static void get(ReferenceBackend backend, Storage from, long offset, MemorySegment to) {
    MemorySegment place = place(backend, from, offset, to.byteSize());
    backend.enqueue(
        Site.GET,
        "get",
        List.of(Access.of(from, offset, to.byteSize(), Kind.READ), Access.of(to, Kind.WRITE)),
        () -> to.copyFrom(place));
  }

  static void copy(
      ReferenceBackend backend,
      Storage from,
      long fromOffset,
      Storage to,
      long toOffset,
      long bytes) {
    MemorySegment source = place(backend, from, fromOffset, bytes);
    MemorySegment target = place(backend, to, toOffset, bytes);
    backend.enqueue(
        Site.COPY,
        "copy",
        List.of(
            Access.of(from, fromOffset, bytes, Kind.READ),
            Access.of(to, toOffset, bytes, Kind.WRITE)),
        () -> target.copyFrom(source));
  }

  /** Between two backends: carried, ordered in both streams by the bytes it touches. */
  static void copy(
      ReferenceBackend fromBackend,
      Storage from,
      long fromOffset,
      ReferenceBackend toBackend,
      Storage to,
      long toOffset,
      long bytes) {
    if (fromBackend == toBackend) {
      copy(fromBackend, from, fromOffset, to, toOffset, bytes);
      return;
    }
    MemorySegment source = place(fromBackend, from, fromOffset, bytes);
    MemorySegment target = place(toBackend, to, toOffset, bytes);
    CompletableFuture<Void> sourceReady = new CompletableFuture<>();
    CompletableFuture<Void> done = new CompletableFuture<>();
    fromBackend.enqueue(
        new Command(
            "copy",
            List.of(Access.of(from, fromOffset, bytes, Kind.READ)),
            stream -> {
              sourceReady.complete(null);
              return done;
            },
            Placement.IN_STREAM,
            sourceReady::completeExceptionally));
    toBackend.enqueue(
        Site.COPY,
        new Command(
            "copy",
            List.of(Access.of(to, toOffset, bytes, Kind.WRITE)),
            stream -> {
              try {
                stream.await(sourceReady);
                target.copyFrom(source);
                done.complete(null);
              } catch (Throwable e) {
                done.completeExceptionally(e);
                throw e;
              }
              return Stream.DONE;
            },
            Placement.CARRIED,
            done::completeExceptionally));
  }

  static void set2d(
      Backend backend,
      Storage to,
      long offset,
      long toStride,
      MemorySegment from,
      long fromStride,
      long rowBytes,
      long rows) {
    for (long i = 0; i < rows; i++) {
      backend.set(to, offset + i * toStride, from.asSlice(i * fromStride, rowBytes));
    }
  }

  static void get2d(
      Backend backend,
      Storage from,
      long offset,
      long fromStride,
      MemorySegment to,
      long toStride,
      long rowBytes,
      long rows) {
    for (long i = 0; i < rows; i++) {
      backend.get(from, offset + i * fromStride, to.asSlice(i * toStride, rowBytes));
    }
  }

  private static MemorySegment place(
      ReferenceBackend backend, Storage storage, long offset, long bytes) {
    var tensor = storage.tensor();
    if (storage.buffer().type().repacks()) {
      throw refuse(tensor + " lies repacked and can only be written, as a whole");
    }
    if (!tensor.isContiguous()) {
      throw refuse(tensor + " is not contiguous; transfer its rows or its base");
    }
    if (offset < 0 || bytes < 0 || offset > tensor.bytes() - bytes) {
      throw refuse(
          "%d bytes from %d on reach outside the %d of %s"
              .formatted(bytes, offset, tensor.bytes(), tensor));
    }
    return backend.near(storage.buffer()).memory(storage.offset() + offset, bytes);
  }

  private static ConsortException refuse(String message) {
    return ConsortException.of(ErrorCode.INVALID_ARGUMENT, message)
        .plugin(ReferenceProvider.NAME)
        .build();
  }
}
