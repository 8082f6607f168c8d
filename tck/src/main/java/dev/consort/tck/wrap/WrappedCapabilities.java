// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.wrap;

import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.CommInit;
import dev.consort.api.CopyTensor;
import dev.consort.api.Device;
import dev.consort.api.Event;
import dev.consort.api.GetTensor2d;
import dev.consort.api.HostSignal;
import dev.consort.api.ProcAddress;
import dev.consort.api.SetTensor2d;
import dev.consort.api.Storage;
import dev.consort.api.WirePolicy;
import java.util.List;
import java.util.Optional;

/** Capabilities that take backends, devices or events, made to take wrapped ones. */
final class WrappedCapabilities {
  private WrappedCapabilities() {}

  static <T> T wrap(DelegatingDevice device, ProcAddress<T> address, T found) {
    Object wrapped =
        switch (found) {
          case SetTensor2d set -> set(set);
          case GetTensor2d get -> get(get);
          case CopyTensor copy -> new WrappedCopy(copy);
          case CommInit init -> new WrappedInit(device, init);
          case HostSignal signal -> new WrappedSignal(device, signal);
          default -> found;
        };
    return address.type().cast(wrapped);
  }

  private static SetTensor2d set(SetTensor2d inner) {
    return (backend, to, offset, toStride, from, fromStride, rowBytes, rows) -> {
      if (backend instanceof DelegatingBackend own) {
        own.set2d(inner, to, offset, toStride, from, fromStride, rowBytes, rows);
      } else {
        inner.set(backend, to, offset, toStride, from, fromStride, rowBytes, rows);
      }
    };
  }

  private static GetTensor2d get(GetTensor2d inner) {
    return (backend, from, offset, fromStride, to, toStride, rowBytes, rows) -> {
      if (backend instanceof DelegatingBackend own) {
        own.get2d(inner, from, offset, fromStride, to, toStride, rowBytes, rows);
      } else {
        inner.get(backend, from, offset, fromStride, to, toStride, rowBytes, rows);
      }
    };
  }

  private record WrappedCopy(CopyTensor inner) implements CopyTensor {
    @Override
    public boolean connects(Device from, Device to) {
      return inner.connects(DelegatingDevice.unwrap(from), DelegatingDevice.unwrap(to));
    }

    @Override
    public void copy(
        Backend fromBackend,
        Storage from,
        long fromOffset,
        Backend toBackend,
        Storage to,
        long toOffset,
        long bytes) {
      if (fromBackend instanceof DelegatingBackend own) {
        own.copyTo(inner, from, fromOffset, toBackend, to, toOffset, bytes);
      } else {
        inner.copy(
            fromBackend,
            from,
            fromOffset,
            DelegatingBackend.unwrap(toBackend),
            to,
            toOffset,
            bytes);
      }
    }
  }

  private record WrappedInit(DelegatingDevice device, CommInit inner) implements CommInit {
    @Override
    public Optional<Comm> init(List<Backend> members, WirePolicy wire) {
      return inner
          .init(members.stream().map(DelegatingBackend::unwrap).toList(), wire)
          .map(comm -> device.wrap(comm, members));
    }
  }

  private record WrappedSignal(DelegatingDevice device, HostSignal inner) implements HostSignal {
    @Override
    public Event createEvent() {
      return device.wrap(inner.createEvent());
    }

    @Override
    public void arm(Event event) {
      if (event instanceof DelegatingEvent own) {
        own.armed();
      }
      inner.arm(DelegatingEvent.unwrap(event));
    }

    @Override
    public void signal(Event event) {
      if (event instanceof DelegatingEvent own) {
        own.signalled();
      }
      inner.signal(DelegatingEvent.unwrap(event));
    }
  }
}
