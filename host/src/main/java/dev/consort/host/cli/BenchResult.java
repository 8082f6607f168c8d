// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.Device;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.run.Engine;
import dev.consort.host.run.EngineOptions;
import dev.consort.host.run.EngineReport;
import dev.consort.model.gguf.GgufTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * One test's measurements.
 *
 * @param nanos of each repetition
 * @param heapBytes allocated on the Java heap a token, by all threads, in the repetition that
 *     allocated least
 * @param blockingCalls of the caller's, a token
 * @param bridgeWaits of the members' threads for devices or each other, a token
 * @param plans built a token
 * @param submitting nanoseconds a token of the caller's, until it waits for the devices
 */
record BenchResult(
    EngineOptions options,
    int threads,
    BenchTest test,
    long[] nanos,
    double heapBytes,
    double blockingCalls,
    double bridgeWaits,
    double plans,
    double submitting,
    Facts facts) {

  /** What is known about the model and its devices while they are open. */
  record Facts(
      String file,
      String type,
      long bytes,
      long parameters,
      String devices,
      String split,
      long reduces) {
    static Facts of(Engine engine) {
      MetaDevice device = engine.device();
      EngineReport report = engine.report();
      var file = engine.model().file();
      return new Facts(
          file.path().toString(),
          engine.model().parameters().architecture() + " " + commonType(file.tensors()),
          file.tensors().stream().mapToLong(GgufTensor::bytes).sum(),
          file.tensors().stream().mapToLong(t -> t.shape().elements()).sum(),
          device.members().stream()
              .map(Device::info)
              .map(info -> info.id())
              .collect(Collectors.joining("+")),
          report.split().name().toLowerCase(Locale.ROOT),
          report.reducesPerToken());
    }

    private static String commonType(java.util.Collection<GgufTensor> tensors) {
      return tensors.stream()
          .collect(
              Collectors.groupingBy(GgufTensor::type, Collectors.summingLong(GgufTensor::bytes)))
          .entrySet()
          .stream()
          .max(java.util.Map.Entry.comparingByValue())
          .map(most -> most.getKey().label())
          .orElse("");
    }
  }

  private int tokens() {
    return test.prompt() + test.generated();
  }

  double tokensPerSecond() {
    return Arrays.stream(nanos).mapToDouble(n -> tokens() / (n / 1e9)).average().orElse(0);
  }

  double deviation() {
    double mean = tokensPerSecond();
    double squares =
        Arrays.stream(nanos).mapToDouble(n -> tokens() / (n / 1e9) - mean).map(d -> d * d).sum();
    return nanos.length < 2 ? 0 : Math.sqrt(squares / (nanos.length - 1));
  }

  /** Few columns for people, llama-bench's names for machines. */
  static Table table(List<BenchResult> results, TableFormat format) {
    boolean people = format == TableFormat.MD || format == TableFormat.TEXT;
    Table table = people ? new Table(FOR_PEOPLE) : new Table(FOR_MACHINES);
    results.forEach(result -> table.add(people ? result.brief() : result.full()));
    return table;
  }

  private static final String[] FOR_PEOPLE = {
    "model",
    "size",
    "params",
    "devices",
    "split",
    "test",
    "t/s",
    "heap B/token",
    "blocking/token",
    "waits/token",
    "plans/token",
    "host us/token"
  };

  private static final String[] FOR_MACHINES = {
    "model_filename",
    "model_type",
    "model_size",
    "model_n_params",
    "devices",
    "split_mode",
    "reduces_per_token",
    "n_ubatch",
    "n_threads",
    "type_k",
    "type_v",
    "n_prompt",
    "n_gen",
    "n_depth",
    "avg_ns",
    "avg_ts",
    "stddev_ts",
    "heap_bytes_per_token",
    "blocking_calls_per_token",
    "bridge_waits_per_token",
    "plans_per_token",
    "host_us_per_token"
  };

  private Object[] brief() {
    return new Object[] {
      facts.type(),
      Summary.bytes(facts.bytes()),
      String.format(Locale.ROOT, "%.2f B", facts.parameters() / 1e9),
      facts.devices(),
      facts.split(),
      test.label(),
      String.format(Locale.ROOT, "%.2f ± %.2f", tokensPerSecond(), deviation()),
      heapBytes,
      blockingCalls,
      bridgeWaits,
      plans,
      submitting / 1000
    };
  }

  private Object[] full() {
    return new Object[] {
      facts.file(),
      facts.type(),
      facts.bytes(),
      facts.parameters(),
      facts.devices(),
      facts.split(),
      facts.reduces(),
      options.microBatch(),
      threads,
      options.cacheKeys().label(),
      options.cacheValues().label(),
      test.prompt(),
      test.generated(),
      test.depth(),
      Math.round(Arrays.stream(nanos).average().orElse(0)),
      tokensPerSecond(),
      deviation(),
      heapBytes,
      blockingCalls,
      bridgeWaits,
      plans,
      submitting / 1000
    };
  }
}
