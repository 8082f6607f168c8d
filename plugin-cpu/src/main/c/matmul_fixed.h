// SPDX-License-Identifier: Apache-2.0
// F16 and BF16 weights times many columns in 16-bit fixed point: blocks of 32 along K, each with its
// own scale on both sides, 14 bits with the sign, so that a block's exact sum fits in 32 bits. The
// error is that of F16 activations; AVX-512 VNNI does it at twice the rate of F32.
#pragma once
#include "matmul_dot.h"
#include "quantize.h"

#if defined(__AVX512F__)

#define FIXED_MAX 8191.0f  // 32 products of two of these fit
// A tile of n columns, per block: float d[n]; int16 q[16][n][2].
#define FIXED_COLUMN 68
// A panel of 16 rows, per block: float d[16]; int16 q[16][16][2].
#define FIXED_PANEL 1088

INLINE int64_t fixed_blocks(int64_t k) { return (k + 31) / 32; }

// 0, or NaN if x has one or an infinity.
INLINE vf not_finite(vf x) { return vf_mul(x, vf_zero()); }

INLINE __m256i fixed(vf x, vf inv) {
  return _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(vf_mul(x, inv)));
}

static void fixed_column(const float *x, int64_t k, char *tile, int n, int c) {
  for (int64_t j = 0; j < k; j += 32, tile += FIXED_COLUMN * n) {
    int left = k - j < 32 ? (int)(k - j) : 32;
    vf a = vf_load_n(x + j, left < VL ? left : VL);
    vf b = left > VL ? vf_load_n(x + j + VL, left - VL) : vf_zero();
    float top = vf_hmax(vf_max(vf_abs(a), vf_abs(b)));
    vf inv = vf_set(top > 1e-30f ? FIXED_MAX / top : 0);
    ((float *)tile)[c] = top / FIXED_MAX + vf_hsum(vf_add(not_finite(a), not_finite(b)));
    int16_t q[32];
    _mm256_storeu_si256((__m256i *)q, fixed(a, inv));
    _mm256_storeu_si256((__m256i *)(q + 16), fixed(b, inv));
    char *to = tile + 4 * n + 4 * c;
    for (int i = 0; i < 16; i++) memcpy(to + 4 * n * i, q + 2 * i, 4);
  }
}

// Lane r of to[j] is lane j of from[r].
INLINE void transpose16(const vi from[16], vi to[16]) {
  vi t[16], u[16];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    t[2 * i] = _mm512_unpacklo_epi32(from[2 * i], from[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(from[2 * i], from[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    u[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    u[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    u[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    u[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    vi a = _mm512_shuffle_i32x4(u[i], u[4 + i], 0x88), b = _mm512_shuffle_i32x4(u[i], u[4 + i], 0xdd);
    vi c = _mm512_shuffle_i32x4(u[8 + i], u[12 + i], 0x88);
    vi d = _mm512_shuffle_i32x4(u[8 + i], u[12 + i], 0xdd);
    to[i] = _mm512_shuffle_i32x4(a, c, 0x88);
    to[4 + i] = _mm512_shuffle_i32x4(b, d, 0x88);
    to[8 + i] = _mm512_shuffle_i32x4(a, c, 0xdd);
    to[12 + i] = _mm512_shuffle_i32x4(b, d, 0xdd);
  }
}

// The lower halves of the lanes as floats.
INLINE vf low_half(const int type, vi x) {
  if (type == T_F16) return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(x));
  return _mm512_castsi512_ps(vi_shl(x, 16));
}

INLINE void open_fixed_as(const int type, const char *w, int64_t wb, int rows, int64_t k, char *to) {
  for (int64_t j = 0; j < k; j += 32, to += FIXED_PANEL) {
    uint32_t mask = k - j < 32 ? (1u << (k - j)) - 1 : ~0u;
    vi row[16], x[16], top = vi_zero();
    for (int r = 0; r < 16; r++) {
      row[r] = _mm512_maskz_loadu_epi16(r < rows ? mask : 0, w + r * wb + 2 * j);
    }
    transpose16(row, x);
    // Without their signs floats are ordered as their bits are.
    for (int i = 0; i < 16; i++) {
      top = _mm512_max_epu16(top, vi_and(x[i], vi_set(0x7fff7fff)));
    }
    vf most = low_half(type, _mm512_max_epu16(top, vi_shr(top, 16)));
    __mmask16 some = _mm512_cmp_ps_mask(most, vf_set(1e-30f), _CMP_GT_OQ);
    vf inv = _mm512_maskz_div_ps(some, vf_set(FIXED_MAX), most);
    vf_store((float *)to, vf_add(vf_mul(most, vf_set(1 / FIXED_MAX)), not_finite(most)));
#pragma GCC unroll 4
    for (int i = 0; i < 16; i++) {
      vi a = _mm512_cvtps_epi32(vf_mul(low_half(type, x[i]), inv));
      vi b = _mm512_cvtps_epi32(vf_mul(low_half(type, vi_shr(x[i], 16)), inv));
      vi_store(to + 64 + 64 * i, _mm512_mask_blend_epi16(0xaaaaaaaa, a, vi_shl(b, 16)));
    }
  }
}

static void open_fixed(int type, const char *w, int64_t wb, int rows, int64_t k, char *to) {
  if (type == T_F16) open_fixed_as(T_F16, w, wb, rows, k, to);
  else open_fixed_as(T_BF16, w, wb, rows, k, to);
}

// Panels lie `stride` bytes apart; out[c][16 mr] floats.
INLINE void tile_fixed(const int mr, const int n, const char *w, int64_t stride, int64_t blocks,
    const char *x, float *out) {
  vf acc[2][TILE];
#pragma GCC unroll 8
  for (int r = 0; r < mr; r++) for (int c = 0; c < n; c++) acc[r][c] = vf_zero();
  for (int64_t b = 0; b < blocks; b++, w += FIXED_PANEL, x += FIXED_COLUMN * n) {
    vi s[2][TILE];
#pragma GCC unroll 8
    for (int r = 0; r < mr; r++) for (int c = 0; c < n; c++) s[r][c] = vi_zero();
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      vi v[2];
#pragma GCC unroll 8
      for (int r = 0; r < mr; r++) v[r] = vi_load(w + r * stride + 64 + 64 * i);
#pragma GCC unroll 8
      for (int c = 0; c < n; c++) {
        int32_t two;
        memcpy(&two, x + 4 * n + 4 * (n * i + c), 4);
        vi pair = vi_set(two);
#pragma GCC unroll 8
        for (int r = 0; r < mr; r++) s[r][c] = _mm512_dpwssd_epi32(s[r][c], v[r], pair);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < mr; r++) {
      vf d = vf_load((const float *)(w + r * stride));
#pragma GCC unroll 8
      for (int c = 0; c < n; c++) {
        acc[r][c] = vf_fma(vi_to_f(s[r][c]), vf_mul(d, vf_set(((const float *)x)[c])), acc[r][c]);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < mr; r++) {
#pragma GCC unroll 8
    for (int c = 0; c < n; c++) vf_store(out + 16 * (c * mr + r), acc[r][c]);
  }
}

static void tile_fixed_any(int mr, int n, const char *w, int64_t stride, int64_t blocks,
    const char *x, float *out) {
#define FIXED(MR, N) case N: tile_fixed(MR, N, w, stride, blocks, x, out); break;
#define FIXED_NS(MR) FIXED(MR, 1) FIXED(MR, 2) FIXED(MR, 3) FIXED(MR, 4) FIXED(MR, 5) FIXED(MR, 6)
  if (mr == 2) {
    switch (n) { FIXED_NS(2) }
  } else {
    switch (n) { FIXED_NS(1) }
  }
}

// y[m, n] for rows of w times all columns of x, which lie in tiles of TILE.
// room: 32 rows in panels, and 32 TILE floats.
static void fixed_tiles(int type, const char *w, int64_t wb, int64_t rows, const char *x,
    int64_t columns, int64_t k, float *y, int64_t ldy, float *room) {
  int64_t blocks = fixed_blocks(k), stride = blocks * FIXED_PANEL;
  float *out = room;
  char *panels = (char *)(room + 32 * TILE);
  for (int64_t r0 = 0; r0 < rows; r0 += 32) {
    int left = rows - r0 < 32 ? (int)(rows - r0) : 32, mr = left > 16 ? 2 : 1;
    for (int r = 0; r < mr; r++) {
      int here = left - 16 * r < 16 ? left - 16 * r : 16;
      open_fixed(type, w + (r0 + 16 * r) * wb, wb, here, k, panels + r * stride);
    }
    for (int64_t c0 = 0; c0 < columns; c0 += TILE) {
      int n = columns - c0 < TILE ? (int)(columns - c0) : TILE;
      tile_fixed_any(mr, n, panels, stride, blocks, x + c0 * blocks * FIXED_COLUMN, out);
      for (int c = 0; c < n; c++) {
        memcpy(y + (c0 + c) * ldy + r0, out + 16 * mr * c, (size_t)left * 4);
      }
    }
  }
}

#endif
