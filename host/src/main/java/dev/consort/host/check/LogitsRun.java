// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.check;

import dev.consort.api.DataType;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.run.Engine;
import dev.consort.host.run.EngineOptions;
import dev.consort.host.run.EngineReport;
import dev.consort.host.run.Sequence;
import dev.consort.model.Model;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;

/**
 * What a device computed for a fixture.
 *
 * @param nmse the distance to the truth for each way of feeding
 */
public record LogitsRun(Map<Feeding, Double> nmse, EngineReport report) {

  /** Runs a fixture's tokens with an F32 cache. Blocks. */
  public static LogitsRun of(Model model, float[] truth, MetaDevice device, Set<Feeding> feedings) {
    int vocabulary = model.parameters().vocabulary();
    int[] tokens = Fixture.tokens(truth.length / vocabulary, vocabulary);
    try (Engine engine = Engine.open(model, device, options(tokens))) {
      Map<Feeding, Double> nmse = new EnumMap<>(Feeding.class);
      for (Feeding feeding : feedings) {
        nmse.put(feeding, ErrorLimit.nmse(logits(engine, tokens, feeding), truth));
      }
      return new LogitsRun(nmse, engine.report());
    }
  }

  /** The logits after each of the tokens, with an F32 cache: [tokens][vocabulary]. Blocks. */
  public static float[] logits(Model model, MetaDevice device, int[] tokens, Feeding feeding) {
    try (Engine engine = Engine.open(model, device, options(tokens))) {
      return logits(engine, tokens, feeding);
    }
  }

  private static EngineOptions options(int... tokens) {
    return EngineOptions.defaults()
        .withContext(tokens.length)
        .withCache(DataType.F32, DataType.F32);
  }

  private static float[] logits(Engine engine, int[] tokens, Feeding feeding) {
    int vocabulary = engine.vocabulary();
    float[] all = new float[tokens.length * vocabulary];
    try (Sequence sequence = engine.sequence()) {
      if (feeding == Feeding.BATCH) {
        sequence.appendAll(tokens);
      }
      for (int i = 0; i < tokens.length; i++) {
        MemorySegment row =
            feeding == Feeding.BATCH ? engine.logits(i) : sequence.append(tokens[i]);
        MemorySegment.copy(row, ValueLayout.JAVA_FLOAT, 0, all, i * vocabulary, vocabulary);
      }
    }
    return all;
  }
}
