// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.GraphBuilder;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import dev.consort.cuda.driver.Launch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Has a kernel of the first device read where nothing is, in a process of its own, and prints what
 * comes of it on this device and on the second, if there is one.
 */
final class FailingDevice {
  private FailingDevice() {}

  public static void main(String[] args) {
    List<Device> devices = TestDevices.atLeast(1);
    List<Device> used = devices.subList(0, Math.min(2, devices.size()));
    List<Backend> members = new ArrayList<>();
    used.forEach(device -> members.add(device.createBackend()));
    CudaBackend first = (CudaBackend) members.getFirst();
    if (used.size() > 1) {
      Comm comm =
          first
              .device()
              .find(ProcAddresses.COMM_INIT)
              .orElseThrow()
              .init(members, WirePolicy.EXACT)
              .orElseThrow();
      System.out.println("comm of " + comm.members().size());
    }
    first.device().gpu().bind();
    long function = first.device().gpu().modules().function("elements", "shape");
    byte[] nowhere =
        new Arguments().word(64).word(64).word(1).word(256).integer(256).integer(1).bytes();
    new Launch(function, 1, 1, 1, 256, 0, nowhere, Launch.Start.AFTER_PREVIOUS)
        .enqueue(first.stream());
    tell("first", first::synchronize);
    tell("again", first::synchronize);
    if (used.size() > 1) {
      tell("member", members.get(1)::synchronize);
      tell("other", () -> use(used.get(1)));
    }
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  private static void tell(String who, Runnable action) {
    try {
      action.run();
      System.out.println(who + ": fine");
    } catch (ConsortException e) {
      System.out.println(who + ": " + e.code() + " " + e.getMessage());
    }
  }

  /** Writes and reads a number. */
  private static void use(Device device) {
    Tensor tensor = new GraphBuilder().input("x", DataType.F32, Shape.of(1));
    try (Backend backend = device.createBackend();
        var place = device.bufferType().allocate(List.of(tensor));
        Arena arena = Arena.ofConfined()) {
      MemorySegment sent = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 3);
      MemorySegment found = arena.allocate(ValueLayout.JAVA_FLOAT);
      backend.set(place.storage(tensor), 0, sent);
      backend.get(place.storage(tensor), 0, found);
      backend.synchronize();
      if (sent.mismatch(found) != -1) {
        throw new IllegalStateException("another number came back");
      }
    }
  }
}
