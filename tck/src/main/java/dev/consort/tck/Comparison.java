// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.api.DataType;
import dev.consort.api.Tensor;
import dev.consort.tck.reference.Reference;
import java.lang.foreign.MemorySegment;

/**
 * How far a result is from the reference's.
 *
 * @param error normalised mean square error: the squared differences by the squared expected
 *     values; infinite where a NaN or an infinity is not matched
 * @param worst index of the element that is farthest off, -1 without elements
 */
public record Comparison(double error, long worst, float expected, float found, long differing) {

  /** Compares the bytes of two results of one tensor. */
  public static Comparison of(Tensor tensor, MemorySegment expected, MemorySegment found) {
    return of(values(tensor, expected), values(tensor, found));
  }

  /** Compares element by element. */
  public static Comparison of(float[] expected, float[] found) {
    double squares = 0;
    double differences = 0;
    double farthest = -1;
    int worst = -1;
    long differing = 0;
    for (int i = 0; i < expected.length; i++) {
      double distance = distance(expected[i], found[i]);
      if (Float.floatToIntBits(expected[i]) != Float.floatToIntBits(found[i])) {
        differing++;
      }
      if (distance > farthest) {
        farthest = distance;
        worst = i;
      }
      differences += distance * distance;
      if (Float.isFinite(expected[i])) {
        squares += (double) expected[i] * expected[i];
      }
    }
    double error = differences == 0 ? 0 : differences / Math.max(squares, Float.MIN_NORMAL);
    return new Comparison(
        error, worst, worst < 0 ? 0 : expected[worst], worst < 0 ? 0 : found[worst], differing);
  }

  private static double distance(float expected, float found) {
    if (Float.isNaN(expected) || Float.isNaN(found)) {
      return Float.isNaN(expected) && Float.isNaN(found) ? 0 : Double.POSITIVE_INFINITY;
    }
    return expected == found ? 0 : Math.abs((double) expected - found);
  }

  private static float[] values(Tensor tensor, MemorySegment bytes) {
    if (tensor.type() != DataType.I32) {
      return Reference.floats(tensor, bytes);
    }
    int[] indices = Reference.indices(tensor, bytes);
    float[] values = new float[indices.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = indices[i];
    }
    return values;
  }

  /** Whether that is near enough; a limit of 0 asks for equal bits. */
  public boolean within(double limit) {
    return limit == 0 ? differing == 0 : error <= limit;
  }

  @Override
  public String toString() {
    return "NMSE %.3g, elements that differ: %d, the worst at %d: found %s, expected %s"
        .formatted(error, differing, worst, found, expected);
  }
}
