// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import static dev.consort.cpu.Memory.ALL;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.OR;
import static jdk.incubator.vector.VectorOperators.S2I;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Vectors with a row of a panel in each lane; only touched where the Vector API is.
 *
 * <p>Two rules for the code that uses them. No vector goes into a method or comes out of one: the
 * compiler stops inlining in long methods, and a vector that crosses a call is an object. And an
 * inner loop ends with {@code !=}, which the compiler does not count: a counted one it takes apart
 * into three, which costs short loops more than they do.
 */
final class Lanes {
  static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());
  static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
  static final ByteOrder ORDER = ByteOrder.nativeOrder();

  static final int COUNT = FLOATS.length();

  /** Bytes of a vector of floats. */
  static final long VECTOR = 4L * COUNT;

  /** Bytes of one unit of a panel: two of each row. */
  static final long UNIT = 2L * COUNT;

  /** The bits of a float that those of an F16 go to, its sign among them. */
  static final int F16_PLACES = 0x8fffe000;

  /** A float with the bits of an F16 in their places, times this, is its value. */
  static final float F16_BIAS = 0x1p112f;

  /** What the largest exponent would be, if it stood for a number. */
  static final float BEYOND_F16 = 65536;

  static final int INFINITY = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

  private Lanes() {}

  /** Units of F16 to vectors of floats, one behind the other. */
  static void halves(long from, long stride, long count, long to) {
    halves(from, stride, count, to, VECTOR);
  }

  /** Units of F16 to vectors of floats. */
  static void halves(long from, long stride, long count, long to, long toStride) {
    for (long end = from + count * stride; from != end; from += stride) {
      IntVector bits =
          (IntVector)
              ShortVector.fromMemorySegment(SHORTS, ALL, from, ORDER).convertShape(S2I, INTS, 0);
      FloatVector value =
          bits.lanewise(LSHL, 13).and(F16_PLACES).reinterpretAsFloats().mul(F16_BIAS);
      IntVector whole =
          value
              .reinterpretAsInts()
              .lanewise(OR, INFINITY, value.abs().compare(GE, BEYOND_F16).cast(INTS));
      whole.reinterpretAsFloats().intoMemorySegment(ALL, to, ORDER);
      to += toStride;
    }
  }
}
