// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Shape;
import java.util.Random;

/** Cuts arrays into members' pieces and puts them together again, the slow and obvious way. */
final class Pieces {
  private Pieces() {}

  /** What every member holds of {@code full}; the terms of a partial sum are random. */
  static float[][] cut(float[] full, Shape shape, SplitState state, Partition cuts, Random random) {
    float[][] pieces = new float[cuts.members()][];
    for (int m = 0; m < pieces.length; m++) {
      pieces[m] = state instanceof SplitState.OnAxis ? slice(full, shape, state, cuts, m) : full;
    }
    return state.isPartial() ? terms(full, cuts.members(), random) : pieces;
  }

  /** The whole that the pieces make. */
  static float[] join(float[][] pieces, Shape shape, SplitState state, Partition cuts) {
    float[] full = new float[Math.toIntExact(shape.elements())];
    for (int m = 0; m < pieces.length; m++) {
      if (state instanceof SplitState.OnAxis) {
        int[] places = places(shape, state, cuts, m);
        for (int i = 0; i < places.length; i++) {
          full[places[i]] = pieces[m][i];
        }
      } else {
        for (int i = 0; i < full.length; i++) {
          full[i] = state.isPartial() ? full[i] + pieces[m][i] : pieces[m][i];
        }
      }
    }
    return full;
  }

  private static float[][] terms(float[] full, int members, Random random) {
    float[][] terms = new float[members][full.length];
    for (int i = 0; i < full.length; i++) {
      float rest = full[i];
      for (int m = 1; m < members; m++) {
        terms[m][i] = random.nextInt(-8, 9) / 8f;
        rest -= terms[m][i];
      }
      terms[0][i] = rest;
    }
    return terms;
  }

  private static float[] slice(
      float[] full, Shape shape, SplitState state, Partition cuts, int member) {
    int[] places = places(shape, state, cuts, member);
    float[] piece = new float[places.length];
    for (int i = 0; i < piece.length; i++) {
      piece[i] = full[places[i]];
    }
    return piece;
  }

  /** The index in the whole of each element that the member holds, in its order. */
  static int[] places(Shape shape, SplitState state, Partition cuts, int member) {
    var on = (SplitState.OnAxis) state;
    long from = cuts.from(on.group(), member);
    long to = from + cuts.units(on.group(), member);
    int inner = 1;
    for (int axis = 0; axis < on.axis(); axis++) {
      inner *= (int) shape.ne(axis);
    }
    int[] found = new int[Math.toIntExact(shape.elements())];
    int count = 0;
    int extent = (int) shape.ne(on.axis());
    int outer = found.length / Math.max(1, inner * extent);
    for (int o = 0; o < outer; o++) {
      long start = 0;
      for (long perUnit : on.elementsPerUnit()) {
        for (long e = start + from * perUnit; e < start + to * perUnit; e++) {
          for (int i = 0; i < inner; i++) {
            found[count++] = (int) ((o * extent + e) * inner + i);
          }
        }
        start += on.group().units() * perUnit;
      }
    }
    return java.util.Arrays.copyOf(found, count);
  }
}
