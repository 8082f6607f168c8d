// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.host.meta.Holding;
import dev.consort.host.meta.MetaDevice;
import dev.consort.model.Model;
import dev.consort.model.arch.GraphSize;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Chooses how many cells the cache has. */
final class Context {
  private static final int STEP = 256;
  private static final double SHARE = 0.75;

  private Context() {}

  /**
   * What the options say; without a word from them as many cells as the model was made for, or as
   * fit on every device into three quarters of the memory that its members' weights leave free.
   */
  static int choose(Model model, MetaDevice device, EngineOptions options) {
    if (options.context() > 0) {
      return options.context();
    }
    int most = Math.max(1, model.parameters().context());
    int probe = Math.min(STEP, most);
    int tokens = Math.min(options.microBatch(), probe);
    // As an engine asks: what is refused of either step decides how the weights lie.
    device.holdings(graph(model, options, 1, probe));
    List<Holding> members = device.holdings(graph(model, options, tokens, probe));
    Map<Device, Holding> needs = new LinkedHashMap<>();
    for (int m = 0; m < members.size(); m++) {
      needs.merge(device.members().get(m), members.get(m), Context::sum);
    }
    long fits = most;
    for (var entry : needs.entrySet()) {
      fits = Math.min(fits, cells(entry.getKey(), entry.getValue(), probe, most));
    }
    return fits >= most ? most : (int) Math.max(1, fits / STEP * STEP);
  }

  private static Graph graph(Model model, EngineOptions options, int tokens, int cells) {
    return model.graph(
        new GraphSize(tokens, tokens, cells, cells, options.cacheKeys(), options.cacheValues()));
  }

  private static Holding sum(Holding a, Holding b) {
    return new Holding(a.weights() + b.weights(), a.states() + b.states());
  }

  /** How many cells of the device's members' caches fit beside their weights. */
  private static long cells(Device device, Holding need, int probe, int most) {
    long free = device.memory().free();
    long perCell = Math.ceilDiv(need.states(), (long) probe);
    long room = (long) (SHARE * (free - need.weights()));
    long fits = perCell == 0 && room >= 0 ? most : room / Math.max(1, perCell);
    if (fits < 1) {
      throw ConsortException.of(
              ErrorCode.OUT_OF_MEMORY,
              "the weights take %d MiB and %d MiB are free; name more devices or a smaller model"
                  .formatted(need.weights() >> 20, free >> 20))
          .device(device)
          .build();
    }
    return fits;
  }
}
