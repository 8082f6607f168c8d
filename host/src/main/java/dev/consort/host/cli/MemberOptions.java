// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.WirePolicy;
import dev.consort.host.Consort;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.meta.Shares;
import dev.consort.host.meta.Split;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that make a meta device. */
final class MemberOptions {
  @Option(
      names = {"--devices", "--device", "-dev"},
      paramLabel = "LIST",
      description =
          "Members, as in cpu:0,vulkan:1 or cpu:0*4 or vulkan:llvmpipe (default: all GPUs that are"
              + " no programs, else cpu:0).")
  private @Nullable String devices;

  @Option(
      names = {"--split", "--split-mode", "-sm"},
      paramLabel = "HOW",
      defaultValue = "tensor",
      description = "tensor, layer or none (default: ${DEFAULT-VALUE}).")
  private Split split = Split.TENSOR;

  @Option(
      names = {"--tensor-split", "-ts"},
      paramLabel = "N,N,...",
      description =
          "The members' shares of the work, as in 3,1 (default: by their measured speed and free"
              + " memory; even for logits and perplexity).")
  private @Nullable String shares;

  @Option(
      names = "--wire",
      paramLabel = "TYPE",
      defaultValue = "f32",
      description =
          "How sums travel between members: f32, or bf16:N for BF16 from N elements on (default:"
              + " ${DEFAULT-VALUE}).")
  private String wire = "f32";

  /** Whether the user named devices. */
  boolean isChosen() {
    return devices != null;
  }

  /**
   * The members that the options name, {@code otherwise} where they name none; without a word about
   * their shares these are even.
   */
  MetaDevice device(Consort consort, String otherwise) {
    List<Device> found = members(consort, otherwise);
    return new MetaDevice(found, weights(shares, found.size()), split, wirePolicy());
  }

  /**
   * As above, but without a word about their shares these follow from the members' measured speed
   * and free memory.
   *
   * @param modelBytes what has to be spread
   */
  MetaDevice device(Consort consort, String otherwise, long modelBytes) {
    List<Device> found = members(consort, otherwise);
    double[] weights =
        shares == null ? Shares.measured(found, modelBytes) : weights(shares, found.size());
    return new MetaDevice(found, weights, split, wirePolicy());
  }

  private List<Device> members(Consort consort, String otherwise) {
    List<Device> members;
    if (devices != null) {
      members = consort.select(devices);
    } else {
      members = consort.standardDevices();
      boolean onlyCpu = members.size() == 1 && members.getFirst().info().id().equals("cpu:0");
      members = onlyCpu ? consort.select(otherwise) : members;
    }
    return members;
  }

  private WirePolicy wirePolicy() {
    String text = wire.toLowerCase(Locale.ROOT);
    if (text.equals("f32")) {
      return WirePolicy.EXACT;
    }
    try {
      if (text.equals("bf16")) {
        return new WirePolicy(0);
      }
      if (text.startsWith("bf16:")) {
        return new WirePolicy(Long.parseLong(text.substring("bf16:".length())));
      }
    } catch (NumberFormatException e) {
      // Told below.
    }
    throw new ConsortException(
        ErrorCode.INVALID_ARGUMENT,
        "--wire is \"%s\"; expected f32, bf16 or bf16:N, as in bf16:65536".formatted(wire));
  }

  static double[] weights(@Nullable String shares, int members) {
    double[] weights = new double[members];
    Arrays.fill(weights, 1);
    if (shares == null) {
      return weights;
    }
    String[] parts = shares.split("[,/]", -1);
    if (parts.length != members) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "--tensor-split \"%s\" has %d numbers for %d members; give one for each"
              .formatted(shares, parts.length, members));
    }
    for (int i = 0; i < members; i++) {
      try {
        weights[i] = Double.parseDouble(parts[i].strip());
      } catch (NumberFormatException e) {
        throw new ConsortException(
            ErrorCode.INVALID_ARGUMENT,
            "--tensor-split \"%s\": \"%s\" is no number".formatted(shares, parts[i]),
            e);
      }
    }
    return weights;
  }
}
