// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.Backend;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.Event;
import dev.consort.api.Plan;
import dev.consort.api.Storage;
import dev.consort.host.Consort;
import dev.consort.host.meta.MetaDevice;
import dev.consort.model.Model;
import dev.consort.tck.wrap.DelegatingBackend;
import dev.consort.tck.wrap.DelegatingDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Prints what a token costs the caller, round by round, where the members' devices do nothing:
 * microseconds, and pages of memory that it had to be given (on Linux). {@code java -cp ...
 * dev.consort.host.run.StepTable MODEL 'cpu:0*4' TOKENS ROUNDS}
 */
final class StepTable {
  private StepTable() {}

  public static void main(String[] args) throws IOException {
    int tokens = Integer.parseInt(args[2]);
    EngineOptions options = new EngineOptions(tokens, 512, 1, DataType.F16, DataType.F16);
    try (Consort host = Consort.open();
        Model model = Model.open(Path.of(args[0]))) {
      List<Device> members = host.select(args[1]).stream().<Device>map(IdleDevice::new).toList();
      try (Engine engine = Engine.open(model, MetaDevice.even(members), options)) {
        SplittableRandom random = new SplittableRandom(1);
        for (int round = 0; round < Integer.parseInt(args[3]); round++) {
          print(round, engine, random.ints(tokens, 0, engine.vocabulary()).toArray());
        }
      }
    }
  }

  private static void print(int round, Engine engine, int[] tokens) throws IOException {
    long[] nanos = new long[tokens.length];
    try (Sequence sequence = engine.sequence()) {
      long faults = pageFaults();
      for (int i = 0; i < tokens.length; i++) {
        long before = engine.submittingNanos();
        sequence.append(tokens[i]);
        nanos[i] = engine.submittingNanos() - before;
      }
      faults = pageFaults() - faults;
      double mean = Arrays.stream(nanos).average().orElse(0) / 1e3;
      Arrays.sort(nanos);
      System.out.printf(
          "%d: %.1f us, median %.1f, %.2f page faults%n",
          round, mean, nanos[nanos.length / 2] / 1e3, faults / (double) tokens.length);
    }
  }

  /** Of this thread; field 10 of proc(5), where what is behind the name begins with field 3. */
  private static long pageFaults() throws IOException {
    String stat = Files.readString(Path.of("/proc/thread-self/stat"));
    return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[10 - 3]);
  }

  private static final class IdleDevice extends DelegatingDevice {
    IdleDevice(Device device) {
      super(device);
    }

    @Override
    protected DelegatingBackend wrap(Backend backend) {
      return new IdleBackend(this, backend);
    }
  }

  /** Takes small inputs, as a device would that gathers them, and drops everything else. */
  private static final class IdleBackend extends DelegatingBackend {
    private static final int MOST_GATHERED = 64 << 10;

    private final MemorySegment gathered = MemorySegment.ofArray(new byte[MOST_GATHERED]);

    IdleBackend(DelegatingDevice device, Backend backend) {
      super(device, backend);
    }

    @Override
    public void set(Storage to, long offset, MemorySegment from) {
      if (from.byteSize() <= MOST_GATHERED) {
        MemorySegment.copy(from, 0, gathered, 0, from.byteSize());
      }
    }

    @Override
    public void get(Storage from, long offset, MemorySegment to) {}

    @Override
    public void submit(Plan plan) {}

    @Override
    public void record(Event event) {}

    @Override
    public void synchronize() {}
  }
}
