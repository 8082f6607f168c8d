// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.host.perplexity.Divergence;
import dev.consort.host.perplexity.Estimate;
import java.io.PrintStream;
import java.util.Locale;

/** How far a model is from saved logits, in the words that llama-perplexity's users know. */
final class DivergenceText {
  private final PrintStream out;

  DivergenceText(PrintStream out) {
    this.out = out;
  }

  void print(Divergence found) {
    say("====== Perplexity statistics ======");
    line("Mean PPL(Q)", found.perplexity());
    line("Mean PPL(base)", found.basePerplexity());
    line("Mean ln(PPL(Q)/PPL(base))", found.logRatio());
    line("Mean PPL(Q)/PPL(base)", found.logRatio().exp());
    say("");
    say("====== KL divergence statistics ======");
    say("Mean    KLD: %10.6f ± %10.6f", found.divergence().mean(), found.divergence().error());
    say("Maximum KLD: %10.6f", found.quantile(1));
    for (double share : new double[] {0.999, 0.99, 0.95, 0.9}) {
      say("%4.1f%%   KLD: %10.6f", 100 * share, found.quantile(share));
    }
    say("Median  KLD: %10.6f", found.quantile(0.5));
    say("Minimum KLD: %10.6f", found.quantile(0));
    say("");
    say("====== Token probability statistics ======");
    percent("Mean    Δp", found.shift());
    percent("RMS Δp    ", found.rootMeanSquareShift());
    percent("Same top p", found.sameTop());
  }

  private void line(String name, Estimate estimate) {
    say("%-30s: %10.6f ± %10.6f", name, estimate.mean(), estimate.error());
  }

  private void percent(String name, Estimate estimate) {
    say("%s: %6.3f ± %5.3f %%", name, 100 * estimate.mean(), 100 * estimate.error());
  }

  private void say(String format, Object... values) {
    out.println(String.format(Locale.ROOT, format, values));
  }
}
