// SPDX-License-Identifier: Apache-2.0
import dev.consort.api.Device;
import dev.consort.api.ProcAddresses;
import dev.consort.host.Consort;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.run.Engine;
import dev.consort.host.run.EngineOptions;
import dev.consort.host.run.Sequence;
import dev.consort.model.Model;
import dev.consort.model.gguf.GgufTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * What share of the machine's read bandwidth decoding reaches. A round decodes some tokens, and
 * before and after that reads as many bytes with {@link Reading}, in each of its ways. What counts
 * is the share within a round, of the way whose median is the greatest. Started by {@code share}.
 */
final class Share {
  private static final String USAGE =
      """
      usage: bench/share -m FILE [-m FILE ...] [-t THREADS] [-n TOKENS] [--rounds N] [--min SHARE]
        -n TOKENS    tokens decoded in a round (8)
        --rounds N   rounds (21)
        --min SHARE  fail with 1 when a median share is below this
      """;

  private Share() {}

  /** One decoding, and what the reading around it gave by the number of streams, in GB/s. */
  private record Round(double decoding, Map<Integer, Double> reading) {}

  public static void main(String[] args) throws Exception {
    List<Path> files = new ArrayList<>();
    int threads = Runtime.getRuntime().availableProcessors();
    int tokens = 8;
    int rounds = 21;
    double least = 0;
    for (int i = 0; i + 1 < args.length; i += 2) {
      String value = args[i + 1];
      switch (args[i]) {
        case "-m" -> files.add(Path.of(value));
        case "-t" -> threads = Integer.parseInt(value);
        case "-n" -> tokens = Integer.parseInt(value);
        case "--rounds" -> rounds = Integer.parseInt(value);
        case "--min" -> least = Double.parseDouble(value);
        default -> files.clear();
      }
    }
    if (files.isEmpty() || args.length % 2 != 0) {
      System.err.print(USAGE);
      System.exit(2);
    }
    System.out.println("| model | decoding, GB/s | reading, GB/s | streams | share | min | max |");
    System.out.println("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    Reading reading = new Reading(threads);
    boolean reached = true;
    for (Path file : files) {
      reached &= report(file, measure(file, reading, threads, tokens, rounds)) >= least;
    }
    System.exit(reached ? 0 : 1);
  }

  private static List<Round> measure(
      Path file, Reading reading, int threads, int tokens, int rounds) throws Exception {
    List<Round> results = new ArrayList<>();
    try (Consort consort = Consort.open();
        Model model = Model.open(file)) {
      Device cpu = consort.device("cpu:0");
      cpu.find(ProcAddresses.SET_N_THREADS).ifPresent(each -> each.setThreads(threads));
      EngineOptions options = EngineOptions.defaults().withContext(256);
      try (Engine engine = Engine.open(model, MetaDevice.even(List.of(cpu)), options)) {
        long bytes = tokens * bytesOfToken(model);
        decode(engine, tokens);
        for (int round = 0; round < rounds; round++) {
          double[] before = read(reading, bytes);
          long start = System.nanoTime();
          decode(engine, tokens);
          double decoding = (double) bytes / (System.nanoTime() - start);
          double[] after = read(reading, bytes);
          Map<Integer, Double> around = new TreeMap<>();
          for (int i = 0; i < before.length; i++) {
            around.put(Reading.STREAMS[i], (before[i] + after[i]) / 2);
          }
          results.add(new Round(decoding, around));
        }
      }
    }
    return results;
  }

  private static double[] read(Reading reading, long bytes) throws Exception {
    double[] speeds = new double[Reading.STREAMS.length];
    for (int i = 0; i < speeds.length; i++) {
      speeds[i] = reading.read(Reading.STREAMS[i], bytes / 2);
    }
    return speeds;
  }

  private static void decode(Engine engine, int tokens) {
    var random = new SplittableRandom(1);
    try (Sequence sequence = engine.sequence()) {
      for (int i = 0; i < tokens; i++) {
        sequence.append(random.nextInt(engine.vocabulary()));
      }
    }
  }

  /** The weights that a token reads once: all but the embedding, unless that is the output too. */
  private static long bytesOfToken(Model model) {
    var tensors = model.file().tensors();
    boolean tied = tensors.stream().noneMatch(t -> t.name().equals("output.weight"));
    return tensors.stream()
        .filter(t -> tied || !t.name().equals("token_embd.weight"))
        .mapToLong(GgufTensor::bytes)
        .sum();
  }

  /** Prints a row and returns the median share. */
  private static double report(Path file, List<Round> rounds) {
    int streams = 0;
    double most = 0;
    for (int kind : Reading.STREAMS) {
      double median = median(rounds.stream().mapToDouble(r -> r.reading().get(kind)).toArray());
      if (median > most) {
        most = median;
        streams = kind;
      }
    }
    int chosen = streams;
    double[] shares =
        rounds.stream().mapToDouble(r -> r.decoding() / r.reading().get(chosen)).toArray();
    System.out.printf(
        Locale.ROOT,
        "| %s | %.1f | %.1f | %d | %.3f | %.3f | %.3f |%n",
        file.getFileName(),
        median(rounds.stream().mapToDouble(Round::decoding).toArray()),
        most,
        streams,
        median(shares),
        Arrays.stream(shares).min().orElseThrow(),
        Arrays.stream(shares).max().orElseThrow());
    return median(shares);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }
}
