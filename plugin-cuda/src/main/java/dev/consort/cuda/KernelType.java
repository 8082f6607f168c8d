// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.DataType;
import java.util.List;

/** The kernels' numbers for data types: the order of {@code Type} in common.cuh. */
final class KernelType {
  private static final List<DataType> ORDER =
      List.of(
          DataType.F32,
          DataType.F16,
          DataType.BF16,
          DataType.Q8_0,
          DataType.Q4_0,
          DataType.Q4_1,
          DataType.Q5_0,
          DataType.Q5_1,
          DataType.Q4_K,
          DataType.Q5_K,
          DataType.Q6_K,
          DataType.Q2_K,
          DataType.Q3_K,
          DataType.IQ4_NL,
          DataType.IQ4_XS,
          DataType.MXFP4);

  private KernelType() {}

  static int of(DataType type) {
    return ORDER.indexOf(type);
  }

  static boolean isKnown(DataType type) {
    return ORDER.contains(type);
  }

  static boolean isFloating(DataType type) {
    return type == DataType.F32 || type == DataType.F16 || type == DataType.BF16;
  }
}
