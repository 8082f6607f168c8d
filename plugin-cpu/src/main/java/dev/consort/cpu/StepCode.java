// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

/** What a step does; the numbers are those of {@code consort_cpu.h}. */
enum StepCode {
  QUANT32(1),
  QUANT256(2),
  MATMUL_PACKED(3),
  MATMUL_DOT(4),
  MATMUL_ID(5),
  GET_ROWS(6),
  SET_ROWS(7),
  BINARY(8),
  SCALE(9),
  UNARY(10),
  GLU(11),
  RMS_NORM(12),
  ROPE(13),
  ATTENTION(14),
  ATTENTION_JOIN(15),
  SOFT_MAX(16),
  TOP_K(17),
  SUM(18),
  CLAMP(19),
  COPY(20),
  REDUCE(21),
  MOVE(22),
  GROUP(23),
  TILES(24),
  MATMUL_TILES(25),

  /** In Java alone: what {@link PortablePacking} makes of activations. */
  ACTIVATIONS(26);

  private final int number;

  StepCode(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }
}
