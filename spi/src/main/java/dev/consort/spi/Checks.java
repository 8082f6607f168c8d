// SPDX-License-Identifier: Apache-2.0
package dev.consort.spi;

import dev.consort.api.Allocation;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Stable;
import dev.consort.api.Storage;
import dev.consort.api.Support;
import dev.consort.api.Tensor;

/** What a backend checks when a call is made, before anything of it reaches the device. */
@Stable(since = "1.0")
public final class Checks {
  private Checks() {}

  /**
   * Refuses a graph with an operation that the device does not support, or with tensors that lie
   * outside their buffers.
   *
   * @throws ConsortException UNSUPPORTED, INVALID_ARGUMENT; NOT_FOUND for a source without a place
   */
  public static void compile(Device device, Graph graph, Allocation allocation) {
    for (Tensor node : graph.nodes()) {
      if (node.isView() || node.operation() instanceof Operation.AllReduce) {
        continue;
      }
      Support support = device.supports(node);
      if (!support.supported()) {
        throw error(device, ErrorCode.UNSUPPORTED, node.operation().label(), support.reason());
      }
    }
    for (Tensor node : graph.nodes()) {
      if (allocation.holds(node)) {
        place(device, allocation.storage(node.root()));
      }
    }
    for (Tensor leaf : graph.leaves()) {
      place(device, allocation.storage(leaf.root()));
    }
  }

  private static void place(Device device, Storage place) {
    long bytes = place.buffer().type().bytes(place.tensor());
    if (place.offset() < 0 || place.offset() > place.buffer().bytes() - bytes) {
      throw error(
          device,
          ErrorCode.INVALID_ARGUMENT,
          "compile",
          "%s at byte %d reaches outside a buffer of %d"
              .formatted(place.tensor(), place.offset(), place.buffer().bytes()));
    }
  }

  /**
   * Refuses bytes that reach outside a tensor, and tensors with gaps.
   *
   * @param offset from the tensor's start
   * @throws ConsortException INVALID_ARGUMENT
   */
  public static void range(
      Device device, String operation, Storage place, long offset, long bytes) {
    Tensor tensor = place.tensor();
    long room = place.buffer().bytes() - place.offset();
    if (!tensor.isContiguous()
        || offset < 0
        || bytes < 0
        || place.offset() < 0
        || offset > Math.min(tensor.bytes(), room) - bytes) {
      throw error(
          device,
          ErrorCode.INVALID_ARGUMENT,
          operation,
          "found %d bytes from %d on of %s at %d of a buffer of %d, expected a range of a contiguous tensor"
              .formatted(bytes, offset, tensor, place.offset(), place.buffer().bytes()));
    }
  }

  private static ConsortException error(
      Device device, ErrorCode code, String operation, String message) {
    return ConsortException.of(code, message).device(device).operation(operation).build();
  }
}
