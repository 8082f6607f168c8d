// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.ProcAddress;
import dev.consort.api.ProcAddresses;
import dev.consort.api.WirePolicy;
import dev.consort.host.Consort;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.meta.Split;
import dev.consort.model.Model;
import dev.consort.tck.wrap.HidingDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Models whose logits are known, on every mix of real devices: the CPU, and the software Vulkan
 * drivers llvmpipe and SwiftShader where they are installed. The loader sees SwiftShader when
 * VK_ADD_DRIVER_FILES names its description.
 */
@Timeout(120)
class MixesTest {
  private static final Consort HOST = Consort.open();
  private static final int TOKENS = 40;
  private static final String LLVMPIPE = "vulkan:llvmpipe";
  private static final String SWIFTSHADER = "vulkan:swiftshader";

  /**
   * A model beside its logits.
   *
   * @param limit the largest error, from the peer's: 1.25 times for dense models, twice for experts
   */
  record Truth(String name, double limit, int layers) {
    Path file(String ending) {
      return Path.of("..", "model", "src", "test", "resources", "dev", "consort", "model", "arch")
          .resolve(name + ending);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** Members with their shares. */
  record Mix(String devices, Split split, double... shares) {
    MetaDevice open(UnaryOperator<Device> wrap) {
      List<Device> members = new ArrayList<>();
      for (String part : devices.split(",")) {
        String name = part.replaceAll("\\*.*", "");
        String driver = name.replaceAll(".*:", "");
        boolean present =
            name.startsWith("cpu")
                || HOST.devices().stream().anyMatch(device -> named(device).contains(driver));
        assumeTrue(present, "there is no " + name + " here");
        HOST.select(part).forEach(device -> members.add(wrap.apply(device)));
      }
      double[] weights = shares.length > 0 ? shares : new double[members.size()];
      if (shares.length == 0) {
        Arrays.fill(weights, 1);
      }
      return new MetaDevice(members, weights, split, WirePolicy.EXACT);
    }

    private static String named(Device device) {
      return (device.info().name() + device.info().driver()).toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
      return devices + " " + split + (shares.length > 0 ? Arrays.toString(shares) : "");
    }
  }

  static final List<Truth> MODELS =
      List.of(
          new Truth("llama-q4_k_m", 1.25 * 7.8e-4, 3), new Truth("qwen3moe-q4_k_m", 2 * 1.2e-3, 3));

  private static final List<Mix> ALONE =
      List.of(
          new Mix("cpu:0", Split.TENSOR),
          new Mix(LLVMPIPE, Split.TENSOR),
          new Mix(SWIFTSHADER, Split.TENSOR));

  private static final List<Mix> MIXES =
      List.of(
          new Mix("cpu:0*2", Split.TENSOR),
          new Mix("cpu:0*3", Split.TENSOR),
          new Mix("cpu:0*5", Split.TENSOR),
          new Mix("cpu:0*8", Split.TENSOR),
          new Mix("cpu:0*2", Split.TENSOR, 3, 1),
          new Mix("cpu:0*3", Split.TENSOR, 1, 0, 2),
          new Mix("cpu:0," + LLVMPIPE, Split.TENSOR),
          new Mix("cpu:0," + SWIFTSHADER, Split.TENSOR),
          new Mix("cpu:0*2," + LLVMPIPE, Split.TENSOR),
          new Mix("cpu:0," + LLVMPIPE + "," + SWIFTSHADER, Split.TENSOR),
          new Mix("cpu:0*2", Split.LAYER),
          new Mix("cpu:0," + LLVMPIPE, Split.LAYER, 1, 2),
          new Mix("cpu:0," + LLVMPIPE + "," + SWIFTSHADER, Split.LAYER));

  private static final Map<String, Double> WORST_ALONE = new HashMap<>();

  static List<Object[]> alone() {
    return pairs(ALONE);
  }

  static List<Object[]> mixes() {
    return pairs(MIXES);
  }

  private static List<Object[]> pairs(List<Mix> mixes) {
    List<Object[]> pairs = new ArrayList<>();
    for (Truth truth : MODELS) {
      mixes.forEach(mix -> pairs.add(new Object[] {truth, mix}));
    }
    return pairs;
  }

  @AfterAll
  static void close() {
    HOST.close();
  }

  @ParameterizedTest
  @MethodSource("alone")
  void aDeviceIsAsGoodAsThePeer(Truth truth, Mix mix) throws IOException {
    MetaDevice device = mix.open(d -> d);
    assertThat(error(truth, device, TOKENS)).isPositive().isLessThan(truth.limit());
    assertThat(error(truth, device, 1)).isPositive().isLessThan(truth.limit());
  }

  @ParameterizedTest
  @MethodSource("mixes")
  void aMixIsNotWorseThanItsMembers(Truth truth, Mix mix) throws IOException {
    MetaDevice device = mix.open(d -> d);
    for (int step : new int[] {TOKENS, 1}) {
      double worst = 0;
      for (Device member : device.members()) {
        worst = Math.max(worst, alone(truth, member, step));
      }
      double error = error(truth, device, step);
      assertThat(error).as("in steps of %d tokens", step).isLessThan(truth.limit());
      assertThat(error).as("in steps of %d tokens", step).isLessThan(2 * worst + 1e-9);
    }
  }

  @ParameterizedTest
  @MethodSource("mixes")
  void aTokenNeedsTwoReducesALayer(Truth truth, Mix mix) {
    MetaDevice device = mix.open(d -> d);
    try (Model model = Model.open(truth.file(".gguf"));
        Engine engine = Engine.open(model, device, options(8))) {
      long reduces = mix.split() == Split.TENSOR ? 2L * truth.layers() : 0;
      assertThat(engine.report().reducesPerToken()).isEqualTo(reduces);
      assertThat(engine.report().notes()).isEmpty();
    }
  }

  static final List<ProcAddress<?>> ADDRESSES = ProcAddresses.all();

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void whatADeviceHasNotTheHostDoes(ProcAddress<?> address) throws IOException {
    for (Truth truth : MODELS) {
      for (String devices : List.of("cpu:0*3", "cpu:0*2," + LLVMPIPE)) {
        Mix mix = new Mix(devices, Split.TENSOR);
        float[] expected = logits(truth, mix.open(d -> d), 16, 16);
        float[] found = logits(truth, mix.open(d -> new HidingDevice(d, address)), 16, 16);
        // Without repacked weights a device may have other kernels, which round otherwise.
        boolean otherKernels = address.equals(ProcAddresses.EXTRA_BUFFER_TYPES);
        assertThat(nmse(found, expected))
            .as("%s on %s", truth, mix)
            .isLessThan(otherKernels ? truth.limit() : 1e-4);
      }
    }
  }

  private static double alone(Truth truth, Device member, int step) throws IOException {
    String key = truth + " " + member.info().id() + " " + step;
    if (!WORST_ALONE.containsKey(key)) {
      WORST_ALONE.put(key, error(truth, MetaDevice.even(List.of(member)), step));
    }
    return WORST_ALONE.get(key);
  }

  private static double error(Truth truth, MetaDevice device, int step) throws IOException {
    float[] found = logits(truth, device, step, TOKENS);
    float[] expected = new float[found.length];
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(truth.file(".logits")));
    bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(expected);
    return nmse(found, expected);
  }

  private static float[] logits(Truth truth, MetaDevice device, int step, int tokens) {
    try (Model model = Model.open(truth.file(".gguf"));
        Engine engine = Engine.open(model, device, options(step));
        Sequence sequence = engine.sequence()) {
      int vocabulary = engine.vocabulary();
      float[] all = new float[tokens * vocabulary];
      MemorySegment to = MemorySegment.ofArray(all);
      for (int first = 0; first < tokens; first += step) {
        int[] part = new int[step];
        for (int i = 0; i < step; i++) {
          int t = first + i;
          part[i] = (31 * t * t + 17 * t + 7) % vocabulary;
        }
        sequence.appendAll(part);
        for (int i = 0; i < step; i++) {
          MemorySegment row = engine.logits(i);
          MemorySegment.copy(row, 0, to, (first + i) * row.byteSize(), row.byteSize());
        }
      }
      assertThat(to.get(ValueLayout.JAVA_FLOAT, 0)).isFinite();
      return all;
    }
  }

  private static EngineOptions options(int microBatch) {
    return new EngineOptions(64, microBatch, 1, DataType.F32, DataType.F32);
  }

  private static double nmse(float[] found, float[] expected) {
    double error = 0;
    double square = 0;
    for (int i = 0; i < found.length; i++) {
      error += Math.pow((double) found[i] - expected[i], 2);
      square += Math.pow(expected[i], 2);
    }
    return error / square;
  }
}
