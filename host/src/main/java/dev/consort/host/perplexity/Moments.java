// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.perplexity;

/** Sums up pairs of values for means, errors and their covariance. Not thread safe. */
final class Moments {
  private double x;
  private double xx;
  private double y;
  private double yy;
  private double xy;
  private long count;

  void add(double valueX, double valueY) {
    x += valueX;
    xx += valueX * valueX;
    y += valueY;
    yy += valueY * valueY;
    xy += valueX * valueY;
    count++;
  }

  void add(double value) {
    add(value, 0);
  }

  long count() {
    return count;
  }

  Estimate first() {
    return estimate(x, xx);
  }

  Estimate second() {
    return estimate(y, yy);
  }

  /** Of the first minus the second, which go up and down together. */
  Estimate difference() {
    Estimate a = first();
    Estimate b = second();
    double variance = a.error() * a.error() + b.error() * b.error() - 2 * covariance();
    return new Estimate(a.mean() - b.mean(), Math.sqrt(Math.max(0, variance)));
  }

  private double covariance() {
    return count < 2 ? 0 : (xy / count - x / count * (y / count)) / (count - 1);
  }

  private Estimate estimate(double sum, double squares) {
    if (count == 0) {
      return new Estimate(0, 0);
    }
    double mean = sum / count;
    double variance = squares / count - mean * mean;
    return new Estimate(mean, variance > 0 && count > 1 ? Math.sqrt(variance / (count - 1)) : 0);
  }
}
