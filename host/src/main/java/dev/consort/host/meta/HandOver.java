// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Backend;
import dev.consort.api.CopyTensor;
import dev.consort.api.Device;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Storage;
import java.util.Optional;

/** Hands a tensor from one stage to a later one, once a micro-batch. */
interface HandOver extends AutoCloseable {
  /** On the giver's thread, in its stream. */
  void give(Backend from, Storage tensor);

  /** On the taker's thread, in its stream: the oldest that was given comes into the tensor. */
  void take(Backend to, Storage tensor);

  /** Waits for what is under way. */
  @Override
  void close();

  /** Directly where a plugin copies between two of its devices, else through host memory. */
  static HandOver between(Submitter from, Submitter to, long bytes, Waiting waiting) {
    Device giver = from.backend().device();
    Device taker = to.backend().device();
    Optional<CopyTensor> copy =
        giver != taker && giver.info().plugin().equals(taker.info().plugin())
            ? giver.find(ProcAddresses.COPY_TENSOR_ASYNC)
            : Optional.empty();
    return copy.isPresent() && copy.get().connects(giver, taker)
        ? new DirectHandOver(from, to, copy.get(), waiting)
        : new StagedHandOver(from, to, bytes, waiting);
  }
}
