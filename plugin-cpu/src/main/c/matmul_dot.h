// SPDX-License-Identifier: Apache-2.0
// F32, F16 and BF16 weights times F32 activations with F32 products and sums, lanes along K.
// Each output element is summed in one order, whatever the tile it falls in.
#pragma once
#include "dequant.h"

#if defined(__AVX512F__)
#define DOT_ROWS 4
#define DOT_COLS 6
#else
#define DOT_ROWS 2
#define DOT_COLS 3
#endif
#define DOT_K 1024  // so many elements at a time: a tile's activations stay in the L1 cache

INLINE vf dot_load(const int type, const char *p, int64_t k) {
  if (type == T_F16) return vf_from_f16(p + 2 * k);
  if (type == T_BF16) return vf_from_bf16(p + 2 * k);
  return vf_load((const float *)p + k);
}

INLINE void dot_tile(const int type, const int mr, const int n, const char *w, int64_t wb,
    const char *x, int64_t xb, int64_t k0, int64_t k1, float *sums) {
  vf acc[DOT_ROWS][DOT_COLS];
#pragma GCC unroll 8
  for (int r = 0; r < mr; r++) {
#pragma GCC unroll 8
    for (int c = 0; c < n; c++) {
      acc[r][c] = k0 ? vf_load(sums + VL * (r * n + c)) : vf_zero();
    }
  }
  for (int64_t k = k0; k < k1; k += VL) {
    vf a[DOT_ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < mr; r++) a[r] = dot_load(type, w + r * wb, k);
#pragma GCC unroll 8
    for (int c = 0; c < n; c++) {
      vf b = vf_load((const float *)(x + c * xb) + k);
#pragma GCC unroll 8
      for (int r = 0; r < mr; r++) acc[r][c] = vf_fma(a[r], b, acc[r][c]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < mr; r++) {
#pragma GCC unroll 8
    for (int c = 0; c < n; c++) vf_store(sums + VL * (r * n + c), acc[r][c]);
  }
}

#define DOT_N(T, MR, N) \
  case N: dot_tile(T, MR, N, w, wb, x, xb, k0, k1, sums); break;
#if DOT_COLS == 6
#define DOT_NS(T, MR) \
  DOT_N(T, MR, 1) DOT_N(T, MR, 2) DOT_N(T, MR, 3) DOT_N(T, MR, 4) DOT_N(T, MR, 5) DOT_N(T, MR, 6)
#else
#define DOT_NS(T, MR) DOT_N(T, MR, 1) DOT_N(T, MR, 2) DOT_N(T, MR, 3)
#endif
#define DOT_TYPE(T)                                                                           \
  static void dot_##T(int mr, int n, const char *w, int64_t wb, const char *x, int64_t xb,    \
      int64_t k0, int64_t k1, float *sums) {                                                  \
    if (mr == DOT_ROWS) {                                                                     \
      switch (n) {                                                                            \
        DOT_NS(T, DOT_ROWS)                                                                   \
      }                                                                                       \
    } else {                                                                                  \
      switch (n) {                                                                            \
        DOT_NS(T, 1)                                                                          \
      }                                                                                       \
    }                                                                                         \
  }
DOT_TYPE(T_F32)
DOT_TYPE(T_F16)
DOT_TYPE(T_BF16)

static float dot_tail(int type, const char *w, const char *x, int64_t k0, int64_t k) {
  float s = 0;
  for (int64_t j = k0; j < k; j++) {
    float a;
    uint16_t h;
    if (type == T_F32) {
      memcpy(&a, w + 4 * j, 4);
    } else {
      memcpy(&h, w + 2 * j, 2);
      a = type == T_F16 ? f16_to_f32(h) : bf16_to_f32(h);
    }
    s += a * ((const float *)x)[j];
  }
  return s;
}

// One row times one column, read from front to back: what a matrix-vector product is made of.
INLINE float dot_one(const int type, const char *w, const char *x, int64_t k) {
  vf s0 = vf_zero(), s1 = vf_zero(), s2 = vf_zero(), s3 = vf_zero();
  const float *v = (const float *)x;
  int64_t j = 0;
  for (; j + 4 * VL <= k; j += 4 * VL) {
    s0 = vf_fma(dot_load(type, w, j), vf_load(v + j), s0);
    s1 = vf_fma(dot_load(type, w, j + VL), vf_load(v + j + VL), s1);
    s2 = vf_fma(dot_load(type, w, j + 2 * VL), vf_load(v + j + 2 * VL), s2);
    s3 = vf_fma(dot_load(type, w, j + 3 * VL), vf_load(v + j + 3 * VL), s3);
  }
  for (; j + VL <= k; j += VL) s0 = vf_fma(dot_load(type, w, j), vf_load(v + j), s0);
  float sum = vf_hsum(vf_add(vf_add(s0, s1), vf_add(s2, s3)));
  return j < k ? sum + dot_tail(type, w, x, j, k) : sum;
}

// Four rows times one column, so that memory has four streams to fetch ahead.
INLINE void dot_four(const int type, const char *w, int64_t wb, const char *x, int64_t k, float *y) {
  vf s[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
  const float *v = (const float *)x;
  int64_t j = 0;
  const int64_t bytes = type == T_F32 ? 4 : 2;
  const char *next = w + 4 * wb;  // the next four rows, as they lie
  for (; j + 2 * VL <= k; j += 2 * VL) {
    vf a = vf_load(v + j), b = vf_load(v + j + VL);
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++) __builtin_prefetch(next + 4 * j * bytes + 64 * r, 0, 2);
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++) {
      s[r] = vf_fma(dot_load(type, w + r * wb, j), a, s[r]);
      s[r] = vf_fma(dot_load(type, w + r * wb, j + VL), b, s[r]);
    }
  }
  for (int r = 0; r < 4; r++) {
    int64_t i = j;
    for (; i + VL <= k; i += VL) s[r] = vf_fma(dot_load(type, w + r * wb, i), vf_load(v + i), s[r]);
    y[r] = vf_hsum(s[r]) + (i < k ? dot_tail(type, w + r * wb, x, i, k) : 0);
  }
}

// y[m, n] for `rows` rows of w and `columns` columns of x; y's rows are neighbours, its columns
// ldy floats apart.
static void dot_block(int type, const char *w, int64_t wb, int64_t rows, const char *x, int64_t xb,
    int64_t columns, int64_t k, float *y, int64_t ldy, float *sums) {
  int64_t whole = k / VL * VL;
  if (columns == 1) {
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4) {
      const char *wr = w + r * wb;
      if (type == T_F16) dot_four(T_F16, wr, wb, x, k, y + r);
      else if (type == T_BF16) dot_four(T_BF16, wr, wb, x, k, y + r);
      else dot_four(T_F32, wr, wb, x, k, y + r);
    }
    for (; r < rows; r++) {
      const char *wr = w + r * wb;
      y[r] = type == T_F16 ? dot_one(T_F16, wr, x, k)
          : type == T_BF16 ? dot_one(T_BF16, wr, x, k) : dot_one(T_F32, wr, x, k);
    }
    return;
  }
  for (int64_t c = 0; c < columns; c += DOT_COLS) {
    int n = columns - c < DOT_COLS ? (int)(columns - c) : DOT_COLS;
    for (int64_t k0 = 0; k0 == 0 || k0 < whole; k0 += DOT_K) {
      int64_t k1 = whole - k0 < DOT_K ? whole : k0 + DOT_K;
      for (int64_t r = 0; r < rows;) {
        int mr = rows - r >= DOT_ROWS ? DOT_ROWS : 1;
        float *s = sums + r * n * VL;
        const char *wr = w + r * wb, *xc = x + c * xb;
        if (type == T_F16) dot_T_F16(mr, n, wr, wb, xc, xb, k0, k1, s);
        else if (type == T_BF16) dot_T_BF16(mr, n, wr, wb, xc, xb, k0, k1, s);
        else dot_T_F32(mr, n, wr, wb, xc, xb, k0, k1, s);
        r += mr;
      }
    }
    for (int64_t r = 0; r < rows; r++) {
      for (int j = 0; j < n; j++) {
        float v = vf_hsum(vf_load(sums + (r * n + j) * VL));
        if (whole < k) v += dot_tail(type, w + r * wb, x + (c + j) * xb, whole, k);
        y[(c + j) * ldy + r] = v;
      }
    }
  }
}

// ---- many columns: both sides in tiles, read from front to back ----
//
// A tile of n columns holds, for each 16 elements of k, n vectors; the same for rows of weights.
// Rows of K apart would meet in the same few sets of the cache.

#define TILED_K 512
// So many floats of weights stay in the second-level cache while all columns pass by.
#define TILED_FLOATS (128 << 10)

INLINE void dot_tiled(const int mr, const int n, const float *w, const float *x, int64_t steps,
    int first, float *sums) {
  vf acc[DOT_ROWS][DOT_COLS];
#pragma GCC unroll 8
  for (int r = 0; r < mr; r++) {
#pragma GCC unroll 8
    for (int c = 0; c < n; c++) acc[r][c] = first ? vf_zero() : vf_load(sums + VL * (r * n + c));
  }
  for (int64_t k = 0; k < steps; k++, w += mr * VL, x += n * VL) {
    vf a[DOT_ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < mr; r++) a[r] = vf_load(w + r * VL);
#pragma GCC unroll 8
    for (int c = 0; c < n; c++) {
      vf b = vf_load(x + c * VL);
#pragma GCC unroll 8
      for (int r = 0; r < mr; r++) acc[r][c] = vf_fma(a[r], b, acc[r][c]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < mr; r++) {
#pragma GCC unroll 8
    for (int c = 0; c < n; c++) vf_store(sums + VL * (r * n + c), acc[r][c]);
  }
}

static void dot_tiled_any(int mr, int n, const float *w, const float *x, int64_t steps, int first,
    float *sums) {
#define TILED(MR, N) case N: dot_tiled(MR, N, w, x, steps, first, sums); break;
#if DOT_COLS == 6
#define TILED_NS(MR) TILED(MR, 1) TILED(MR, 2) TILED(MR, 3) TILED(MR, 4) TILED(MR, 5) TILED(MR, 6)
#else
#define TILED_NS(MR) TILED(MR, 1) TILED(MR, 2) TILED(MR, 3)
#endif
  if (mr == DOT_ROWS) {
    switch (n) { TILED_NS(DOT_ROWS) }
  } else {
    switch (n) { TILED_NS(1) }
  }
}

// Writes one row or column of k elements into its place in a tile of n; beyond k are zeros.
static void put_in_tile(int type, const char *row, int64_t k, float *tile, int n, int c,
    float *room) {
  const float *from = room;
  if (type == T_F16 || type == T_BF16) {
    for (int64_t j = 0; j + VL <= k; j += VL) {
      vf v = type == T_F16 ? vf_from_f16(row + 2 * j) : vf_from_bf16(row + 2 * j);
      vf_store(tile + j * n + c * VL, v);
    }
    if (k % VL == 0) return;
  }
  if (type == T_F32) from = (const float *)row;
  else dequant_row(type, row, room, k);
  int64_t j = 0;
  for (; j + VL <= k; j += VL) vf_store(tile + j * n + c * VL, vf_load(from + j));
  if (j < k) vf_store(tile + j * n + c * VL, vf_load_n(from + j, (int)(k - j)));
}

// y[m, n] for rows of w times all columns of x, which lie in tiles of DOT_COLS.
// room: rows * pad16(k) + pad16(k) + rows * DOT_COLS * VL floats.
static void dot_tiles(int type, const char *w, int64_t wb, int64_t rows, const float *x,
    int64_t columns, int64_t k, float *y, int64_t ldy, float *room) {
  int64_t kp = pad16(k);
  float *packed = room, *one = packed + rows * kp, *sums = one + kp;
  for (int64_t r = 0; r < rows;) {
    int mr = rows - r >= DOT_ROWS ? DOT_ROWS : 1;
    for (int j = 0; j < mr; j++) put_in_tile(type, w + (r + j) * wb, k, packed + r * kp, mr, j, one);
    r += mr;
  }
  for (int64_t c0 = 0; c0 < columns; c0 += DOT_COLS) {
    int n = columns - c0 < DOT_COLS ? (int)(columns - c0) : DOT_COLS;
    const float *tile = x + c0 * kp;
    for (int64_t k0 = 0; k0 < kp; k0 += TILED_K) {
      int64_t steps = (kp - k0 < TILED_K ? kp - k0 : TILED_K) / VL;
      for (int64_t r = 0; r < rows;) {
        int mr = rows - r >= DOT_ROWS ? DOT_ROWS : 1;
        dot_tiled_any(mr, n, packed + r * kp + k0 * mr, tile + k0 * n, steps, k0 == 0,
            sums + r * n * VL);
        r += mr;
      }
    }
    for (int64_t i = 0; i < rows * n; i += 16) {
      vf v[16];
      float t[16];
      for (int j = 0; j < 16; j++) {
        v[j] = i + j < rows * n ? vf_load(sums + (i + j) * VL) : vf_zero();
      }
      vf_store(t, hsum16(v));
      for (int j = 0; j < 16 && i + j < rows * n; j++) {
        y[(c0 + (i + j) % n) * ldy + (i + j) / n] = t[j];
      }
    }
  }
}
