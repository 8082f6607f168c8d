// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.Tensor;
import dev.consort.host.meta.MetaDevice;
import dev.consort.model.Model;
import dev.consort.model.arch.GraphSize;

/** Chooses how many cells the cache has. */
final class Context {
  private static final int STEP = 256;
  private static final double SHARE = 0.75;

  private Context() {}

  /**
   * What the options say; without a word from them as many cells as the model was made for, or as
   * fit into three quarters of the memory that the weights leave free, the members filling up in
   * their shares.
   */
  static int choose(Model model, MetaDevice device, EngineOptions options) {
    int most = Math.max(1, model.parameters().context());
    if (options.context() > 0) {
      return options.context();
    }
    int probe = Math.min(STEP, most);
    Graph graph =
        model.graph(new GraphSize(1, 1, probe, probe, options.cacheKeys(), options.cacheValues()));
    long weights = 0;
    long perCell = 0;
    for (Tensor leaf : graph.leaves()) {
      if (leaf.operation() instanceof Operation.Weight) {
        weights += leaf.bytes();
      } else if (leaf.operation() instanceof Operation.State) {
        perCell += leaf.bytes() / probe;
      }
    }
    long free = device.freeInShares();
    long room = (long) (SHARE * (free - weights));
    long fits = perCell == 0 ? most : room / perCell;
    if (fits < 1) {
      throw ConsortException.of(
              ErrorCode.OUT_OF_MEMORY,
              "the weights take %d MiB and %d MiB are free; name more devices or a smaller model"
                  .formatted(weights >> 20, free >> 20))
          .device(device)
          .build();
    }
    return fits >= most ? most : (int) Math.max(1, fits / STEP * STEP);
  }
}
