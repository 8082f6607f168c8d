// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import dev.consort.api.Device;
import dev.consort.api.WirePolicy;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.meta.Split;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Sums over n members, as the meta device makes them: natively where one plugin owns them all and
 * has a comm, by the host elsewhere. A target's members are taken again from the first where they
 * are fewer than n.
 */
final class CollectiveCells implements SectionCells {
  private static final int[] QUICK_MEMBERS = {2, 3, 4, 8};
  private static final int[] QUICK_ELEMENTS = {1, 1031, 40_000};
  private static final int[] FULL_MEMBERS = {2, 3, 4, 5, 7, 8};
  private static final int[] FULL_ELEMENTS = {1, 7, 256, 1031, 8192, 40_000, 1_000_000};

  private record Sum(int members, int elements, WirePolicy wire) {}

  private final Map<String, Sum> rows = new LinkedHashMap<>();

  CollectiveCells(Request.Job job) {
    boolean full = job.depth() == Depth.FULL;
    for (int members : full ? FULL_MEMBERS : QUICK_MEMBERS) {
      // Fewer would leave members of the mix out.
      if (members >= job.target().members().size()) {
        for (int elements : full ? FULL_ELEMENTS : QUICK_ELEMENTS) {
          add(new Sum(members, elements, WirePolicy.EXACT));
        }
        add(new Sum(members, QUICK_ELEMENTS[1], new WirePolicy(0)));
      }
    }
  }

  private void add(Sum sum) {
    rows.put(
        "all-reduce of %d, %d elements as %s"
            .formatted(sum.members(), sum.elements(), sum.wire().wire(sum.elements())),
        sum);
  }

  @Override
  public List<String> rows() {
    return List.copyOf(rows.keySet());
  }

  @Override
  public Outcome run(String row, MetaDevice device, Consumer<String> at) {
    Sum sum = rows.get(row);
    List<Device> members = new ArrayList<>();
    double[] shares = new double[sum.members()];
    for (int m = 0; m < sum.members(); m++) {
      members.add(device.members().get(m % device.members().size()));
      shares[m] = 1;
    }
    MetaDevice meta = new MetaDevice(members, shares, Split.TENSOR, sum.wire());
    try (SumRun run = new SumRun(meta, sum.elements())) {
      return run.check();
    }
  }
}
