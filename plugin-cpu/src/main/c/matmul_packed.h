// SPDX-License-Identifier: Apache-2.0
// Packed weights times int8 activations. Every output element is summed in one order, whatever
// the tile it falls in: block by block, an exact integer sum scaled and added. A sum may go on from
// where one over the blocks ahead ended (`on`, laid out as the results are, or NULL).
#pragma once
#include "pack.h"
#include "quantize.h"
#include "unpack.h"

// Asks for what a matrix-vector product reads some blocks later: pages on, where processors do not
// look by themselves. It helps types with blocks of 32; those with blocks of 256 it slows down.
#define AHEAD_BYTES 8192
INLINE void prefetch_ahead(const char *p, const int bytes) {
#pragma GCC unroll 8
  for (int b = 0; b < bytes; b += 64) __builtin_prefetch(p + AHEAD_BYTES + b, 0, 2);
}

INLINE vi bcast(const int32_t *p) { return vi_set(*p); }

INLINE vi start_of(const int shift, const int32_t *minus_sum) {
  if (shift < 0) return vi_zero();
  vi s = bcast(minus_sum);
  if (shift == 7) return WIDE_START(s);
  return vi_shl(s, shift);
}

INLINE vf sum_start(const float *on, int64_t at) { return on ? vf_load(on + at) : vf_zero(); }

// ---- blocks of 32 ----

INLINE void step32(const int type, const int n, const vi w[8], vf d, vf m, const char *a, vf *acc) {
  const int shift = type_shift(type), wide = shift == 7;
  const float *da = (const float *)a;
  const int32_t *ns = (const int32_t *)a + n;
  const char *q = a + 8 * n;
#pragma GCC unroll 8
  for (int c = 0; c < n; c++) {
    vi s = start_of(shift, ns + c);
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) s = vi_dot(s, w[j], q + 4 * (n * j + c), wide);
    acc[c] = vf_fma(vi_to_f(s), vf_mul(d, vf_set(da[c])), acc[c]);
    if (type_has_min(type)) acc[c] = vf_fma(m, vf_set(da[c] * (float)-ns[c]), acc[c]);
  }
}

INLINE void gemv32(const int type, const int n, const char *panel, int64_t blocks, const char *a,
    const float *on, float *y, int64_t ldy) {
  vf acc[FEW];
  const int bytes = 16 * (type == T_Q8_0 ? 34 : type == T_Q4_1 ? 20 : type == T_Q5_0 ? 22
      : type == T_Q5_1 ? 24 : type == T_MXFP4 ? 17 : 18);
#pragma GCC unroll 8
  for (int c = 0; c < n; c++) acc[c] = sum_start(on, c * ldy);
  for (int64_t b = 0; b < blocks; b++, panel += bytes, a += 40 * n) {
    vi w[8];
    vf d, m;
    if (n == 1) prefetch_ahead(panel, bytes);
    unpack32(type, panel, w, &d, &m);
    step32(type, n, w, d, m, a, acc);
  }
#pragma GCC unroll 8
  for (int c = 0; c < n; c++) vf_store(y + c * ldy, acc[c]);
}

// An unpacked block: float d[16], m[16]; uint8 q[8][64].
#define OPEN32 640

INLINE void open32(const int type, const char *panel, int64_t blocks, char *to) {
  const int bytes = 16 * consort_block_bytes(type);
  for (int64_t b = 0; b < blocks; b++, panel += bytes, to += OPEN32) {
    vi w[8];
    vf d, m;
    unpack32(type, panel, w, &d, &m);
    vf_store((float *)to, d);
    vf_store((float *)to + 16, m);
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) vi_store(to + 128 + 64 * j, w[j]);
  }
}

INLINE void tile32(const int type, const int mr, const int n, const char *w, int64_t stride,
    int64_t blocks, const char *a, const float *on, float *y, int64_t ldy) {
  const int shift = type_shift(type), wide = shift == 7;
  vf acc[2][TILE];
#pragma GCC unroll 8
  for (int r = 0; r < mr; r++) {
    for (int c = 0; c < n; c++) acc[r][c] = sum_start(on, c * ldy + 16 * r);
  }
  for (int64_t b = 0; b < blocks; b++, w += OPEN32, a += 40 * n) {
    const float *da = (const float *)a;
    const int32_t *ns = (const int32_t *)a + n;
    const char *q = a + 8 * n;
    vi s[2][TILE];
#pragma GCC unroll 8
    for (int c = 0; c < n; c++) {
      s[0][c] = start_of(shift, ns + c);
#pragma GCC unroll 8
      for (int r = 1; r < mr; r++) s[r][c] = s[0][c];
    }
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) {
      vi x[2];
#pragma GCC unroll 8
      for (int r = 0; r < mr; r++) x[r] = vi_load(w + r * stride + 128 + 64 * j);
#pragma GCC unroll 8
      for (int c = 0; c < n; c++) {
        vi v = bcast((const int32_t *)(q + 4 * (n * j + c)));
#pragma GCC unroll 8
        for (int r = 0; r < mr; r++) s[r][c] = vi_dotv(s[r][c], x[r], v, wide);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < mr; r++) {
      vf d = vf_load((const float *)(w + r * stride));
#pragma GCC unroll 8
      for (int c = 0; c < n; c++) {
        acc[r][c] = vf_fma(vi_to_f(s[r][c]), vf_mul(d, vf_set(da[c])), acc[r][c]);
      }
      if (type_has_min(type)) {
        vf m = vf_load((const float *)(w + r * stride) + 16);
#pragma GCC unroll 8
        for (int c = 0; c < n; c++) {
          acc[r][c] = vf_fma(m, vf_set(da[c] * (float)-ns[c]), acc[r][c]);
        }
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < mr; r++) {
#pragma GCC unroll 8
    for (int c = 0; c < n; c++) vf_store(y + c * ldy + 16 * r, acc[r][c]);
  }
}

// ---- blocks of 256 ----

INLINE void gemv256(const int type, const int n, const char *panel, int64_t blocks, const char *a,
    const float *on, float *y, int64_t ldy) {
  const int shift = type_shift(type), wide = shift == 7, fine = type_sub16(type);
  const int bytes = 16 * (type == T_Q2_K ? 84 : type == T_Q3_K ? 110 : type == T_Q4_K ? 144
      : type == T_Q5_K ? 176 : type == T_Q6_K ? 210 : 136);
  vf acc[FEW];
#pragma GCC unroll 8
  for (int c = 0; c < n; c++) acc[c] = sum_start(on, c * ldy);
  for (int64_t b = 0; b < blocks; b++, panel += bytes, a += 340 * n) {
    const float *da = (const float *)a;
    const int32_t *ns = (const int32_t *)a + n;
    const char *s32 = a + 68 * n, *q = a + 84 * n;
    vf scale[16], smins[16], dmin, part[FEW];
    vi mins[4];
    scales256(type, panel, scale, mins, smins, &dmin);
#pragma GCC unroll 8
    for (int c = 0; c < n; c++) {
      part[c] = vf_zero();
      if (type == T_Q4_K || type == T_Q5_K) {
        vi s = vi_zero();
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) s = vi_dot16(s, mins[j], s32 + 4 * (j * n + c));
        part[c] = vf_sub(vf_zero(), vf_mul(dmin, vi_to_f(s)));
      } else if (type == T_Q2_K) {
        for (int g = 0; g < 16; g++) {
          part[c] = vf_fma(smins[g], vf_set((float)ns[g * n + c]), part[c]);
        }
      }
    }
#pragma GCC unroll 8
    for (int sub = 0; sub < 8; sub++) {
      vi w[8];
      unpack256(type, panel, sub, w);
#pragma GCC unroll 8
      for (int c = 0; c < n; c++) {
        const char *x = q + 4 * (8 * sub * n + c);
        const int32_t *g = ns + 2 * sub * n + c;
        vi s0 = start_of(shift, g), s1 = start_of(shift, g + n);
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) s0 = vi_dot(s0, w[j], x + 4 * n * j, wide);
#pragma GCC unroll 8
        for (int j = 4; j < 8; j++) s1 = vi_dot(s1, w[j], x + 4 * n * j, wide);
        if (fine) {
          part[c] = vf_fma(vi_to_f(s0), scale[2 * sub], part[c]);
          part[c] = vf_fma(vi_to_f(s1), scale[2 * sub + 1], part[c]);
        } else {
          part[c] = vf_fma(vi_to_f(vi_add(s0, s1)), scale[sub], part[c]);
        }
      }
    }
#pragma GCC unroll 8
    for (int c = 0; c < n; c++) acc[c] = vf_fma(part[c], vf_set(da[c]), acc[c]);
  }
#pragma GCC unroll 8
  for (int c = 0; c < n; c++) vf_store(y + c * ldy, acc[c]);
}

#if defined(__AVX512F__)
// Q6_K times one column: every vector of the panel is read once and gives the weights of all
// groups that it holds. The sums and their order are those of gemv256.
INLINE void gemv_one_q6(const char *panel, int64_t blocks, const char *a, const float *on,
    float *y) {
  const vi low = vi_set(0x0f0f0f0f), high = vi_set(0x30303030);
  vf acc = sum_start(on, 0);
  for (int64_t b = 0; b < blocks; b++, panel += 16 * 210, a += 340) {
    const int32_t *ns = (const int32_t *)a + 1;
    const char *x = a + 84;
    vf d = vf_from_f16(panel), part = vf_zero();
    for (int half = 0; half < 2; half++, x += 128, ns += 8) {
      const char *q = panel + 288 + 1536 * half;
      vi s[8];
#pragma GCC unroll 8
      for (int g = 0; g < 8; g++) s[g] = vi_shl(bcast(ns + g), 5);
#pragma GCC unroll 8
      for (int j = 0; j < 8; j++, q += 192) {
        vi q0 = vi_load(q), q1 = vi_load(q + 64), h = vi_load(q + 128);
        vi w[4] = {
            vi_select(low, q0, vi_and(vi_shl(h, 4), high)),
            vi_select(low, q1, vi_and(vi_shl(h, 2), high)),
            vi_select(low, vi_shr(q0, 4), vi_and(h, high)),
            vi_select(low, vi_shr(q1, 4), vi_and(vi_shr(h, 2), high)),
        };
#pragma GCC unroll 4
        for (int sub = 0; sub < 4; sub++) {
          vi *to = s + 2 * sub + (j >> 2);
          *to = vi_dot(*to, w[sub], x + 32 * sub + 4 * j, 0);
        }
      }
#pragma GCC unroll 8
      for (int g = 0; g < 8; g++) {
        vf scale = vf_mul(d, vf_from_i8(panel + 32 + 128 * half + 16 * g));
        part = vf_fma(vi_to_f(s[g]), scale, part);
      }
    }
    acc = vf_fma(part, vf_set(*(const float *)a), acc);
  }
  vf_store(y, acc);
}
#endif

// An unpacked block: float scale[16][16], smins[16][16] (Q2_K) or mins[4][16][2] and dmin[16];
// uint8 q[64][64].
#define OPEN256 (1024 + 1024 + 64 + 4096)

INLINE void open256(const int type, const char *panel, int64_t blocks, char *to) {
  const int bytes = 16 * consort_block_bytes(type);
  for (int64_t b = 0; b < blocks; b++, panel += bytes, to += OPEN256) {
    vf scale[16], smins[16], dmin;
    vi mins[4];
    scales256(type, panel, scale, mins, smins, &dmin);
    for (int j = 0; j < (type_sub16(type) ? 16 : 8); j++) {
      vf_store((float *)to + 16 * j, scale[j]);
    }
    if (type == T_Q2_K) {
#pragma GCC unroll 16
      for (int j = 0; j < 16; j++) vf_store((float *)(to + 1024) + 16 * j, smins[j]);
    } else if (type_has_min(type)) {
#pragma GCC unroll 4
      for (int j = 0; j < 4; j++) vi_store(to + 1024 + 64 * j, mins[j]);
      vf_store((float *)(to + 2048), dmin);
    }
    for (int sub = 0; sub < 8; sub++) {
      vi w[8];
      unpack256(type, panel, sub, w);
#pragma GCC unroll 8
      for (int j = 0; j < 8; j++) vi_store(to + 2112 + 64 * (8 * sub + j), w[j]);
    }
  }
}

INLINE void tile256(const int type, const int mr, const int n, const char *w, int64_t stride,
    int64_t blocks, const char *a, const float *on, float *y, int64_t ldy) {
  const int shift = type_shift(type), wide = shift == 7, fine = type_sub16(type);
  vf acc[2][TILE];
#pragma GCC unroll 8
  for (int r = 0; r < mr; r++) {
    for (int c = 0; c < n; c++) acc[r][c] = sum_start(on, c * ldy + 16 * r);
  }
  for (int64_t b = 0; b < blocks; b++, w += OPEN256, a += 340 * n) {
    const float *da = (const float *)a;
    const int32_t *ns = (const int32_t *)a + n;
    const char *s32 = a + 68 * n, *q = a + 84 * n;
    vf part[2][TILE];
#pragma GCC unroll 8
    for (int r = 0; r < mr; r++) {
      const char *wr = w + r * stride;
#pragma GCC unroll 8
      for (int c = 0; c < n; c++) {
        part[r][c] = vf_zero();
        if (type == T_Q4_K || type == T_Q5_K) {
          vi s = vi_zero();
#pragma GCC unroll 4
          for (int j = 0; j < 4; j++) {
            s = vi_dot16(s, vi_load(wr + 1024 + 64 * j), s32 + 4 * (j * n + c));
          }
          part[r][c] = vf_sub(vf_zero(), vf_mul(vf_load((const float *)(wr + 2048)), vi_to_f(s)));
        } else if (type == T_Q2_K) {
          for (int g = 0; g < 16; g++) {
            part[r][c] = vf_fma(vf_load((const float *)(wr + 1024) + 16 * g),
                vf_set((float)ns[g * n + c]), part[r][c]);
          }
        }
      }
    }
    const int groups = fine ? 16 : 8, steps = fine ? 4 : 8;
    for (int g = 0; g < groups; g++) {
      vi s[2][TILE];
#pragma GCC unroll 8
      for (int c = 0; c < n; c++) {
        // groups of 32 with an offset: both halves' sums
        s[0][c] = fine || shift < 0 ? start_of(shift, ns + g * n + c)
            : vi_add(start_of(shift, ns + 2 * g * n + c), start_of(shift, ns + (2 * g + 1) * n + c));
#pragma GCC unroll 8
        for (int r = 1; r < mr; r++) s[r][c] = s[0][c];
      }
      for (int j = 0; j < steps; j++) {
        vi x[2];
#pragma GCC unroll 8
        for (int r = 0; r < mr; r++) x[r] = vi_load(w + r * stride + 2112 + 64 * (g * steps + j));
#pragma GCC unroll 8
        for (int c = 0; c < n; c++) {
          vi v = bcast((const int32_t *)(q + 4 * (n * (g * steps + j) + c)));
#pragma GCC unroll 8
          for (int r = 0; r < mr; r++) s[r][c] = vi_dotv(s[r][c], x[r], v, wide);
        }
      }
#pragma GCC unroll 8
      for (int r = 0; r < mr; r++) {
        vf d = vf_load((const float *)(w + r * stride) + 16 * g);
#pragma GCC unroll 8
        for (int c = 0; c < n; c++) part[r][c] = vf_fma(vi_to_f(s[r][c]), d, part[r][c]);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < mr; r++) {
#pragma GCC unroll 8
      for (int c = 0; c < n; c++) acc[r][c] = vf_fma(part[r][c], vf_set(da[c]), acc[r][c]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < mr; r++) {
#pragma GCC unroll 8
    for (int c = 0; c < n; c++) vf_store(y + c * ldy + 16 * r, acc[r][c]);
  }
}

// ---- by type ----

typedef void (*gemv_fn)(int n, const char *panel, int64_t blocks, const char *a,
    const float *on, float *y, int64_t ldy);
typedef void (*open_fn)(const char *panel, int64_t blocks, char *to);
typedef void (*tile_fn)(int mr, int n, const char *w, int64_t stride, int64_t blocks,
    const char *a, const float *on, float *y, int64_t ldy);

#if defined(__AVX512F__)
#define GEMV_ONE(T, F, p, b, a, on, y, ldy)                                    \
  if (T_##T == T_Q6_K) gemv_one_q6(p, b, a, on, y);                            \
  else gemv##F(T_##T, 1, p, b, a, on, y, ldy)
#else
#define GEMV_ONE(T, F, p, b, a, on, y, ldy) gemv##F(T_##T, 1, p, b, a, on, y, ldy)
#endif

#define BY_TYPE(T, F)                                                                          \
  static void gemv_##T(int n, const char *p, int64_t b, const char *a, const float *on,        \
      float *y, int64_t ldy) {                                                                 \
    switch (n) {                                                                               \
      case 1: GEMV_ONE(T, F, p, b, a, on, y, ldy); break;                                      \
      case 2: gemv##F(T_##T, 2, p, b, a, on, y, ldy); break;                                   \
      case 3: gemv##F(T_##T, 3, p, b, a, on, y, ldy); break;                                   \
      default: gemv##F(T_##T, 4, p, b, a, on, y, ldy); break;                                  \
    }                                                                                          \
  }                                                                                            \
  static void open_##T(const char *p, int64_t b, char *to) { open##F(T_##T, p, b, to); }       \
  static void tile_##T(int mr, int n, const char *w, int64_t st, int64_t b, const char *a,     \
      const float *on, float *y, int64_t ldy) {                                                \
    if (mr == 2) {                                                                             \
      switch (n) {                                                                             \
        TILE_CASES(T, F, 2)                                                                    \
      }                                                                                        \
    } else {                                                                                   \
      switch (n) {                                                                             \
        TILE_CASES(T, F, 1)                                                                    \
      }                                                                                        \
    }                                                                                          \
  }
#define TILE_CASE(T, F, MR, N) \
  case N: tile##F(T_##T, MR, N, w, st, b, a, on, y, ldy); break;
#if TILE == 6
#define TILE_CASES(T, F, MR)                                                   \
  TILE_CASE(T, F, MR, 1) TILE_CASE(T, F, MR, 2) TILE_CASE(T, F, MR, 3)         \
  TILE_CASE(T, F, MR, 4) TILE_CASE(T, F, MR, 5) TILE_CASE(T, F, MR, 6)
#else
#define TILE_CASES(T, F, MR) TILE_CASE(T, F, MR, 1) TILE_CASE(T, F, MR, 2)
#endif

#define ALL_PACKED(X)                                                                          \
  X(Q4_0, 32) X(Q4_1, 32) X(Q5_0, 32) X(Q5_1, 32) X(Q8_0, 32) X(IQ4_NL, 32) X(MXFP4, 32)       \
  X(Q2_K, 256) X(Q3_K, 256) X(Q4_K, 256) X(Q5_K, 256) X(Q6_K, 256) X(IQ4_XS, 256)

ALL_PACKED(BY_TYPE)

typedef struct { gemv_fn gemv; open_fn open; tile_fn tile; int elements; int open_bytes; } packed_t;

static packed_t packed_kernels(int type) {
  switch (type) {
#define ROW(T, F) case T_##T: return (packed_t){gemv_##T, open_##T, tile_##T, F, OPEN##F};
    ALL_PACKED(ROW)
    default: return (packed_t){0};
  }
}

// y[m0 .. m0 + 16 panels, columns] for `columns` quantised columns tiled from `a` on.
static void packed_panels(const packed_t *kernels, int type, const char *panel, int panels,
    int64_t k, const char *a, int64_t columns, const float *on, float *y, int64_t ldy,
    char *scratch) {
  int64_t blocks = k / kernels->elements;
  int64_t panel_bytes = blocks * 16 * consort_block_bytes(type);
  int64_t cb = column_bytes(k, kernels->elements == 256);
  if (columns <= FEW) {
    for (int p = 0; p < panels; p++) {
      kernels->gemv((int)columns, panel + p * panel_bytes, blocks, a, on ? on + 16 * p : NULL,
          y + 16 * p, ldy);
    }
    return;
  }
  int64_t open_bytes = blocks * kernels->open_bytes;
  for (int p = 0; p < panels; p += 2) {
    int mr = panels - p >= 2 ? 2 : 1;
#pragma GCC unroll 8
    for (int r = 0; r < mr; r++) {
      kernels->open(panel + (p + r) * panel_bytes, blocks, scratch + r * open_bytes);
    }
    for (int64_t c = 0; c < columns; c += TILE) {
      int n = columns - c < TILE ? (int)(columns - c) : TILE;
      int64_t at = c * ldy + 16 * p;
      kernels->tile(mr, n, scratch, open_bytes, blocks, a + c * cb, on ? on + at : NULL, y + at,
          ldy);
    }
  }
}
