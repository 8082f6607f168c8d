// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.DataType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sums are the scalar ones in member order, to the bit, whatever the data. */
class SumsTest {
  private final Sums sums = new Sums();

  @ParameterizedTest
  @ValueSource(ints = {1, 31, 2048, 2049, 10_000})
  void floatsAreAddedInMemberOrder(int elements) {
    for (boolean[] gives : givers()) {
      try (Arena arena = Arena.ofConfined()) {
        int[][] terms = new int[gives.length][];
        MemorySegment[] segments = new MemorySegment[gives.length];
        for (int m = 0; m < gives.length; m++) {
          terms[m] = terms(new Random(elements + m), elements);
          segments[m] = arena.allocate(4L * elements, 4);
          segments[m].copyFrom(MemorySegment.ofArray(terms[m]));
        }
        MemorySegment sum = arena.allocate(4L * elements, 4);
        sums.reduce(DataType.F32, segments, gives, sum, elements);
        int[] expected = new int[elements];
        for (int i = 0; i < elements; i++) {
          expected[i] = Float.floatToIntBits(total(terms, gives, i));
        }
        assertThat(sum.toArray(ValueLayout.JAVA_INT)).isEqualTo(expected);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 31, 2048, 2049, 10_000})
  void halvesAreAddedAsFloatsAndRoundedOnceToNearestEven(int elements) {
    for (boolean[] gives : givers()) {
      try (Arena arena = Arena.ofConfined()) {
        int[][] terms = new int[gives.length][];
        MemorySegment[] segments = new MemorySegment[gives.length];
        for (int m = 0; m < gives.length; m++) {
          terms[m] = terms(new Random(elements + m), elements);
          segments[m] = arena.allocate(2L * elements, 2);
          for (int i = 0; i < elements; i++) {
            segments[m].setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (terms[m][i] >>> 16));
            terms[m][i] &= 0xffff0000;
          }
        }
        MemorySegment sum = arena.allocate(2L * elements, 2);
        sums.reduce(DataType.BF16, segments, gives, sum, elements);
        short[] expected = new short[elements];
        for (int i = 0; i < elements; i++) {
          expected[i] = rounded(total(terms, gives, i));
        }
        assertThat(sum.toArray(ValueLayout.JAVA_SHORT)).isEqualTo(expected);
      }
    }
  }

  private static List<boolean[]> givers() {
    List<boolean[]> all = new ArrayList<>();
    all.add(new boolean[] {true, true});
    all.add(new boolean[] {false, true, true, false, true});
    all.add(new boolean[] {true, true, true, true, true, true, true, true});
    return all;
  }

  private static float total(int[][] terms, boolean[] gives, int i) {
    float total = Float.NEGATIVE_INFINITY;
    boolean first = true;
    for (int m = 0; m < terms.length; m++) {
      if (gives[m]) {
        float term = Float.intBitsToFloat(terms[m][i]);
        total = first ? term : total + term;
        first = false;
      }
    }
    return total;
  }

  private static short rounded(float total) {
    if (Float.isNaN(total)) {
      return 0x7fc0;
    }
    int bits = Float.floatToRawIntBits(total);
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }

  private static int[] terms(Random random, int elements) {
    int[] bits = new int[elements];
    for (int i = 0; i < elements; i++) {
      bits[i] =
          switch (random.nextInt(16)) {
            case 0 -> 0x7fc00000;
            case 1 -> 0xffc54321;
            case 2 -> 0x7f800001;
            case 3 -> Float.floatToRawIntBits(Float.POSITIVE_INFINITY);
            case 4 -> Float.floatToRawIntBits(Float.NEGATIVE_INFINITY);
            case 5, 6 -> 0x80000000;
            case 7 -> Float.floatToRawIntBits(Float.MAX_VALUE);
            case 8 -> 1;
            default -> Float.floatToRawIntBits((float) random.nextGaussian());
          };
    }
    return bits;
  }
}
