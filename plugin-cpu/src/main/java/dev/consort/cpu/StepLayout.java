// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

/** Where things are in a step as the kernels read it; {@code consort_cpu.h} is the same in C. */
final class StepLayout {
  static final int CODE = 0;
  static final int BARRIER = 4;
  static final int AHEAD = 8;
  static final int ITEMS = 16;
  static final int A = 24;
  static final int F = 104;
  static final int I = 152;
  static final int DST = 200;
  static final int SRC = 280;
  static final int AHEAD_BYTES = 840;
  static final int TAKEN = 896;
  static final int RANGES = 4;
  static final int RANGE_BYTES = 64;
  static final int STEP_BYTES = 1152;
  static final int A_COUNT = 10;
  static final int F_COUNT = 12;
  static final int I_COUNT = 12;
  static final int SOURCES = 7;

  static final int DATA = 0;
  static final int NE = 8;
  static final int NB = 40;
  static final int TYPE = 72;
  static final int TENSOR_BYTES = 80;

  /** Bytes of the memory that a team's threads meet in. */
  static final int TEAM_BYTES = 64;

  private StepLayout() {}
}
