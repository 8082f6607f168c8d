// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.api.Shape;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What share of the work each member of a mix should have: as much as the speed at which its device
 * multiplies a weight matrix with a vector, which is what decoding does, and no more than its free
 * memory holds. Members of one device share it evenly, and so do devices of one make, whose
 * measured speeds differ by chance; one that can multiply none gets none.
 */
public final class Shares {
  private static final int SIZE = 4096;
  private static final List<DataType> TYPES = List.of(DataType.Q8_0, DataType.F16, DataType.F32);
  private static final int LEAST_RUNS = 3;
  private static final long LEAST_NANOS = 20_000_000;
  private static final double MEMORY = 0.9;

  private Shares() {}

  /**
   * Measures where the members are of different devices; else even shares. Blocks, some tens of
   * milliseconds a device.
   *
   * @param modelBytes what has to be spread
   */
  public static double[] measured(List<Device> members, long modelBytes) {
    double[] shares = new double[members.size()];
    Arrays.fill(shares, 1);
    if (new LinkedHashSet<>(members).size() < 2) {
      return shares;
    }
    Map<Device, Double> speeds = new HashMap<>();
    Map<Device, Integer> counts = new HashMap<>();
    members.forEach(device -> counts.merge(device, 1, Integer::sum));
    counts.keySet().forEach(device -> speeds.put(device, speed(device)));
    level(speeds);
    for (int m = 0; m < shares.length; m++) {
      Device device = members.get(m);
      shares[m] = speeds.get(device) / counts.get(device);
    }
    if (Arrays.stream(shares).sum() == 0) {
      Arrays.fill(shares, 1);
    }
    double[] room =
        members.stream()
            .mapToDouble(d -> MEMORY * d.memory().free() / counts.get(d) / Math.max(1, modelBytes))
            .toArray();
    return capped(shares, room);
  }

  /** Gives devices of one make the mean of their speeds; 0 stays 0. */
  static void level(Map<Device, Double> speeds) {
    Map<List<String>, Double> means =
        speeds.entrySet().stream()
            .filter(e -> e.getValue() > 0)
            .collect(
                Collectors.groupingBy(
                    e -> make(e.getKey()), Collectors.averagingDouble(Map.Entry::getValue)));
    speeds.replaceAll((device, speed) -> speed > 0 ? means.get(make(device)) : 0);
  }

  private static List<String> make(Device device) {
    return List.of(device.info().arithmeticClass(), device.info().name());
  }

  /** Shares that sum to 1, none above its room; what is cut off goes to the others. */
  static double[] capped(double[] shares, double[] room) {
    double[] result = shares.clone();
    boolean[] full = new boolean[shares.length];
    while (true) {
      double open = 0;
      double left = 1;
      for (int m = 0; m < result.length; m++) {
        if (full[m]) {
          left -= room[m];
        } else {
          open += shares[m];
        }
      }
      boolean changed = false;
      for (int m = 0; m < result.length; m++) {
        result[m] = full[m] ? room[m] : shares[m] / open * Math.max(0, left);
        if (!full[m] && result[m] > room[m]) {
          full[m] = true;
          changed = true;
        }
      }
      if (!changed || open == 0) {
        return result;
      }
    }
  }

  /** Bytes of weights that a device multiplies in a nanosecond; 0 if it multiplies none. */
  private static double speed(Device device) {
    for (DataType type : TYPES) {
      Graph graph = product(type);
      if (device.supports(graph.nodes().getFirst()).supported()) {
        return speed(device, graph);
      }
    }
    return 0;
  }

  private static Graph product(DataType type) {
    GraphBuilder builder = new GraphBuilder();
    Tensor w = builder.weight("w", type, Shape.of(SIZE, SIZE));
    Tensor x = builder.input("x", DataType.F32, Shape.of(SIZE, 1));
    builder.output(builder.matMul(w, x));
    return builder.build();
  }

  private static double speed(Device device, Graph graph) {
    Tensor y = graph.nodes().getFirst();
    Tensor w = y.source(0);
    Tensor x = y.source(1);
    BufferType weights =
        WeightTypes.choose(device, List.of(graph)).getOrDefault("w", device.bufferType());
    try (Backend backend = device.createBackend();
        Arena arena = Arena.ofShared();
        Allocation packed = weights.allocate(List.of(w));
        Allocation plain = device.bufferType().allocate(List.of(x, y))) {
      Schedule schedule = backend.schedule(graph);
      MemorySegment zeros = arena.allocate(w.bytes(), 64);
      backend.set(packed.storage(w), 0, zeros);
      backend.set(plain.storage(x), 0, zeros.asSlice(0, x.bytes()));
      try (Buffer scratch = device.bufferType().allocate(Math.max(64, schedule.scratchBytes()));
          Plan plan =
              backend.compile(
                  graph,
                  schedule,
                  Allocation.join(List.of(packed, plain))
                      .withScratch(new Storage(x, scratch, 0)))) {
        return w.bytes() / nanos(backend, plan);
      }
    }
  }

  private static double nanos(Backend backend, Plan plan) {
    backend.submit(plan);
    backend.synchronize();
    double best = Double.MAX_VALUE;
    long start = System.nanoTime();
    for (int run = 0; run < LEAST_RUNS || System.nanoTime() - start < LEAST_NANOS; run++) {
      long from = System.nanoTime();
      backend.submit(plan);
      backend.synchronize();
      best = Math.min(best, System.nanoTime() - from);
    }
    return best;
  }
}
