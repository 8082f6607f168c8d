// SPDX-License-Identifier: Apache-2.0
// The binary contract between the Java side (dev.consort.cpu.OpLayout) and the kernels.
#pragma once
#include <stdint.h>

typedef struct {
  char *data;
  int64_t ne[4];
  int64_t nb[4];
  int32_t type;
  int32_t pad;
} tensor_t;

// A step's items lie in as many ranges as there are threads, up to this. A thread takes the items
// of its own range in their order, so that it reads memory in one stream, and then helps with the
// others.
#define RANGES 4

// One step of a segment. All work items of a step may run at once, on any thread, in any order.
typedef struct {
  int32_t code;
  int32_t barrier;  // 1: every item up to here ends before a later step begins
  int64_t ahead;    // weights that a step behind the barrier reads first, or 0
  int64_t items;    // number of items; negative: the kernel says at run time
  int64_t a[10];
  float f[12];
  int32_t i[12];
  tensor_t dst, src[7];
  int64_t ahead_bytes;
  int64_t reserved[6];
  struct { int64_t taken, reserved[7]; } range[RANGES];  // a cache line each; 0 outside of a run
} step_t;

_Static_assert(sizeof(tensor_t) == 80, "OpLayout.TENSOR_BYTES");
_Static_assert(sizeof(step_t) == 1152, "OpLayout.STEP_BYTES");

// Shared by the threads of a team.
typedef struct {
  int64_t arrived;
  int64_t epoch;
  int64_t reserved[6];
} team_t;

enum { T_F32 = 0, T_F16 = 1, T_Q4_0 = 2, T_Q4_1 = 3, T_Q5_0 = 6, T_Q5_1 = 7, T_Q8_0 = 8,
  T_Q2_K = 10, T_Q3_K = 11, T_Q4_K = 12, T_Q5_K = 13, T_Q6_K = 14, T_IQ4_NL = 20,
  T_IQ4_XS = 23, T_I32 = 26, T_BF16 = 30, T_MXFP4 = 39 };

enum { S_QUANT32 = 1, S_QUANT256, S_MATMUL_PACKED, S_MATMUL_DOT, S_MATMUL_ID, S_GET_ROWS,
  S_SET_ROWS, S_BINARY, S_SCALE, S_UNARY, S_GLU, S_RMS_NORM, S_ROPE, S_ATTENTION,
  S_ATTENTION_JOIN, S_SOFT_MAX, S_TOP_K, S_SUM, S_CLAMP, S_COPY, S_REDUCE, S_MOVE, S_GROUP,
  S_TILES, S_MATMUL_TILES };

// Elements and bytes of a block; 0 when the type is unknown.
int consort_block_elements(int type);
int consort_block_bytes(int type);
