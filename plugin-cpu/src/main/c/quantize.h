// SPDX-License-Identifier: Apache-2.0
// Activations as int8 blocks, in tiles of columns laid out for the micro-kernels.
// A tile of n columns, per block of 32 elements:
//   float d[n]; int32 minus_sum[n]; int8 q[8][n][4];                            40 n bytes
// per block of 256:
//   float d[n]; int32 minus_sum16[16][n]; int16 sum32[4][n][2]; int8 q[64][n][4]; 340 n bytes
#pragma once
#include "consort_cpu.h"
#include "simd.h"

#if defined(__AVX512F__)
#define TILE 6
#else
#define TILE 2
#endif
#define FEW 4  // up to so many columns go through the matrix-vector kernels

INLINE int tile_width(int64_t columns) { return columns <= FEW ? (int)columns : TILE; }
INLINE int64_t column_bytes(int64_t k, int wide) { return wide ? k / 256 * 340 : k / 32 * 40; }

// Quantises n values; returns the scale. q = round(x / d), d = max|x| / 127.
INLINE float quantize(const float *x, int n, int8_t *q) {
  vf top = vf_zero();
  for (int j = 0; j < n; j += VL) top = vf_max(top, vf_abs(vf_load(x + j)));
  float amax = vf_hmax(top);
  float inv = amax > 1e-35f ? 127.0f / amax : 0.0f;
  for (int j = 0; j < n; j += VL) vf_to_i8(q + j, vf_round(vf_mul(vf_load(x + j), vf_set(inv))));
  return amax / 127.0f;
}

static void quantize_column32(const float *x, int64_t k, char *tile, int n, int c) {
  for (int64_t b = 0; b < k / 32; b++, x += 32, tile += 40 * n) {
    int8_t q[32];
    float d = quantize(x, 32, q);
    int32_t sum = 0;
    for (int j = 0; j < 32; j++) sum += q[j];
    ((float *)tile)[c] = d;
    ((int32_t *)tile)[n + c] = -sum;
    char *to = tile + 8 * n + 4 * c;
    for (int j = 0; j < 8; j++) memcpy(to + 4 * n * j, q + 4 * j, 4);
  }
}

static void quantize_column256(const float *x, int64_t k, char *tile, int n, int c) {
  for (int64_t b = 0; b < k / 256; b++, x += 256, tile += 340 * n) {
    int8_t q[256];
    ((float *)tile)[c] = quantize(x, 256, q);
    int32_t *minus = (int32_t *)tile + n;
    int16_t *sums = (int16_t *)(tile + 68 * n);
    for (int g = 0; g < 16; g += 2) {
      int32_t s0 = 0, s1 = 0;
      for (int j = 0; j < 16; j++) {
        s0 += q[16 * g + j];
        s1 += q[16 * g + 16 + j];
      }
      minus[g * n + c] = -s0;
      minus[(g + 1) * n + c] = -s1;
      int sub = g / 2;
      sums[((sub / 2) * n + c) * 2 + (sub & 1)] = (int16_t)(s0 + s1);
    }
    char *to = tile + 84 * n + 4 * c;
    for (int j = 0; j < 64; j++) memcpy(to + 4 * n * j, q + 4 * j, 4);
  }
}
