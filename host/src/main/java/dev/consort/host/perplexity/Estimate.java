// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.perplexity;

/**
 * A mean and the standard error of it.
 *
 * @param error 0 where there are too few values to tell
 */
public record Estimate(double mean, double error) {

  /** Of values' exponentials' geometric mean, by the error's propagation. */
  public Estimate exp() {
    double value = Math.exp(mean);
    return new Estimate(value, value * error);
  }
}
