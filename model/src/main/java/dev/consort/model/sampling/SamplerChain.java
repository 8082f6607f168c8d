// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.sampling;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Applies samplers in order and draws one of the candidates that are left. Allocates nothing when
 * sampling. Not thread safe: one for each sequence.
 */
public final class SamplerChain {
  private final List<Sampler> samplers;
  private final Candidates candidates;
  private final SplittableRandom random;
  private final Optional<Likeliest> shortcut;

  /** A chain of samplers for a vocabulary of this size. */
  public SamplerChain(List<Sampler> samplers, long seed, int vocabulary) {
    this(samplers, seed, vocabulary, Optional.empty());
  }

  private SamplerChain(
      List<Sampler> samplers, long seed, int vocabulary, Optional<Likeliest> shortcut) {
    this.shortcut = shortcut;
    this.samplers = List.copyOf(samplers);
    this.candidates = new Candidates(vocabulary);
    this.random = new SplittableRandom(seed);
  }

  /** Top-k, top-p, min-p, then temperature. */
  public static SamplerChain of(SamplingOptions options, int vocabulary) {
    if (options.temperature() == 0) {
      return new SamplerChain(
          List.of(Samplers.greedy()),
          options.seed(),
          vocabulary,
          Optional.of(new Likeliest(vocabulary)));
    }
    List<Sampler> samplers =
        List.of(
            Samplers.topK(options.topK()),
            Samplers.topP(options.topP()),
            Samplers.minP(options.minP()),
            Samplers.temperature(options.temperature()));
    return new SamplerChain(samplers, options.seed(), vocabulary);
  }

  /**
   * Chooses the next token.
   *
   * @param logits F32 in the machine's order, one for each token of the vocabulary
   * @param offset byte of the first
   */
  public int sample(MemorySegment logits, long offset) {
    if (shortcut.isPresent()) {
      int likeliest = shortcut.get().find(logits, offset);
      if (likeliest != Likeliest.NONE) {
        return likeliest;
      }
    }
    candidates.load(logits, offset);
    for (int i = 0; i < samplers.size(); i++) {
      samplers.get(i).apply(candidates);
    }
    return candidates.size() == 1 ? candidates.id(0) : draw();
  }

  private int draw() {
    float most = candidates.logit(candidates.best());
    double sum = 0;
    for (int i = 0; i < candidates.size(); i++) {
      sum += candidates.weight(i, most);
    }
    double left = random.nextDouble() * sum;
    int last = candidates.size() - 1;
    for (int i = 0; i < last; i++) {
      left -= candidates.weight(i, most);
      if (left < 0) {
        return candidates.id(i);
      }
    }
    return candidates.id(last);
  }
}
