// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.perplexity;

import dev.consort.host.run.Batch;
import dev.consort.host.run.Engine;
import dev.consort.host.run.Sequence;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Feeds the windows of a text to an engine, several at a time if they fit one submission. */
public final class Evaluation {
  private static final int MOST_SEQUENCES = 31;

  private final Engine engine;
  private final Windows windows;
  private final int slice;
  private final int together;

  /**
   * @param microBatch the most tokens of one submission
   */
  public Evaluation(Engine engine, Windows windows, int microBatch) {
    this.engine = engine;
    this.windows = windows;
    this.slice = Math.min(windows.length(), microBatch);
    this.together = together(windows.length(), microBatch);
  }

  /** How many windows are fed together: sequences that the engine must allow. */
  public static int together(int length, int microBatch) {
    return Math.clamp(microBatch / length, 1, MOST_SEQUENCES);
  }

  /** Scores all windows, in order; blocks. */
  public void run(Scorer scorer) {
    List<Sequence> sequences = new ArrayList<>();
    try {
      for (int i = 0; i < Math.min(together, windows.count()); i++) {
        sequences.add(engine.sequence());
      }
      for (int from = 0; from < windows.count(); from += together) {
        int count = Math.min(together, windows.count() - from);
        for (int at = 0; at < windows.length() - 1; at += slice) {
          feed(sequences.subList(0, count), from, at, scorer);
        }
        sequences.forEach(sequence -> sequence.truncate(0));
      }
    } finally {
      sequences.forEach(Sequence::close);
    }
  }

  private void feed(List<Sequence> sequences, int window, int at, Scorer scorer) {
    int end = Math.min(at + slice, windows.length() - 1);
    Batch batch = new Batch(sequences.size() * slice);
    for (int s = 0; s < sequences.size(); s++) {
      for (int i = at; i < end; i++) {
        int set = 1 << sequences.get(s).id();
        batch.add(windows.fed(window + s, i), i, set, i >= windows.first());
      }
    }
    engine.evaluate(batch);
    int first = Math.max(at, windows.first());
    int rows = Math.max(0, end - first);
    for (int s = 0; s < sequences.size(); s++) {
      MemorySegment[] logits = new MemorySegment[rows];
      int[] next = new int[rows];
      for (int i = 0; i < rows; i++) {
        logits[i] = engine.logits(s * rows + i);
        next[i] = windows.token(window + s, first + i + 1);
      }
      scorer.score(logits, next);
      if (end == windows.length() - 1) {
        scorer.windowDone(window + s);
      }
    }
  }
}
