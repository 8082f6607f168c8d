// SPDX-License-Identifier: Apache-2.0
// Rows of GGUF blocks to F32. Layouts: the GGUF specification and ggml-common.h.
#pragma once
#include "consort_cpu.h"
#include "simd.h"

static const int8_t IQ4_VALUES[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38,
  53, 69, 89, 113};
// E2M1, doubled.
static const int8_t FP4_VALUES[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

INLINE float e8m0_half(uint8_t e) {  // 2^(e-128)
  uint32_t u = e < 2 ? 0x00200000u << e : (uint32_t)(e - 1) << 23;
  float f;
  memcpy(&f, &u, 4);
  return f;
}

INLINE float half_at(const uint8_t *p) {
  uint16_t h;
  memcpy(&h, p, 2);
  return f16_to_f32(h);
}

// The 6-bit scale and minimum number j (0..7) in the 12 bytes of Q4_K and Q5_K.
INLINE void k_scale_min(const uint8_t *s, int j, int *scale, int *min) {
  if (j < 4) {
    *scale = s[j] & 63;
    *min = s[j + 4] & 63;
  } else {
    *scale = (s[j + 4] & 15) | ((s[j - 4] >> 6) << 4);
    *min = (s[j + 4] >> 4) | ((s[j] >> 6) << 4);
  }
}

// The 6-bit scale number j (0..15), less 32, in the 12 bytes of Q3_K.
INLINE int q3_scale(const uint8_t *s, int j) {
  int low = j < 8 ? s[j] & 15 : s[j - 8] >> 4;
  return (low | (((s[8 + (j & 3)] >> (2 * (j >> 2))) & 3) << 4)) - 32;
}

static void dequant_block(int type, const uint8_t *b, float *y) {
  switch (type) {
    case T_Q4_0: {
      float d = half_at(b);
      for (int j = 0; j < 16; j++) {
        y[j] = d * (float)((b[2 + j] & 15) - 8);
        y[j + 16] = d * (float)((b[2 + j] >> 4) - 8);
      }
      break;
    }
    case T_Q4_1: {
      float d = half_at(b), m = half_at(b + 2);
      for (int j = 0; j < 16; j++) {
        y[j] = d * (float)(b[4 + j] & 15) + m;
        y[j + 16] = d * (float)(b[4 + j] >> 4) + m;
      }
      break;
    }
    case T_Q5_0: {
      float d = half_at(b);
      uint32_t h;
      memcpy(&h, b + 2, 4);
      for (int j = 0; j < 16; j++) {
        y[j] = d * (float)((int)((b[6 + j] & 15) | ((h >> j & 1) << 4)) - 16);
        y[j + 16] = d * (float)((int)((b[6 + j] >> 4) | ((h >> (j + 16) & 1) << 4)) - 16);
      }
      break;
    }
    case T_Q5_1: {
      float d = half_at(b), m = half_at(b + 2);
      uint32_t h;
      memcpy(&h, b + 4, 4);
      for (int j = 0; j < 16; j++) {
        y[j] = d * (float)(int)((b[8 + j] & 15) | ((h >> j & 1) << 4)) + m;
        y[j + 16] = d * (float)(int)((b[8 + j] >> 4) | ((h >> (j + 16) & 1) << 4)) + m;
      }
      break;
    }
    case T_Q8_0: {
      float d = half_at(b);
      for (int j = 0; j < 32; j++) y[j] = d * (float)(int8_t)b[2 + j];
      break;
    }
    case T_IQ4_NL: {
      float d = half_at(b);
      for (int j = 0; j < 16; j++) {
        y[j] = d * IQ4_VALUES[b[2 + j] & 15];
        y[j + 16] = d * IQ4_VALUES[b[2 + j] >> 4];
      }
      break;
    }
    case T_MXFP4: {
      float d = e8m0_half(b[0]);
      for (int j = 0; j < 16; j++) {
        y[j] = d * FP4_VALUES[b[1 + j] & 15];
        y[j + 16] = d * FP4_VALUES[b[1 + j] >> 4];
      }
      break;
    }
    case T_Q2_K: {
      const uint8_t *sc = b, *q = b + 16;
      float d = half_at(b + 80), dmin = half_at(b + 82);
      for (int g = 0; g < 16; g++) {
        float s = d * (float)(sc[g] & 15), m = dmin * (float)(sc[g] >> 4);
        const uint8_t *p = q + (g / 8) * 32 + (g & 1) * 16;
        int shift = 2 * ((g % 8) / 2);
        for (int j = 0; j < 16; j++) y[16 * g + j] = s * (float)(p[j] >> shift & 3) - m;
      }
      break;
    }
    case T_Q3_K: {
      const uint8_t *hm = b, *q = b + 32;
      float d = half_at(b + 108);
      for (int g = 0; g < 16; g++) {
        float s = d * (float)q3_scale(b + 96, g);
        int part = (g & 1) * 16, shift = 2 * ((g % 8) / 2);
        const uint8_t *p = q + (g / 8) * 32 + part;
        for (int j = 0; j < 16; j++) {
          int v = (p[j] >> shift & 3) - ((hm[part + j] >> (g / 2) & 1) ? 0 : 4);
          y[16 * g + j] = s * (float)v;
        }
      }
      break;
    }
    case T_Q4_K:
    case T_Q5_K: {
      float d = half_at(b), dmin = half_at(b + 2);
      const uint8_t *h = b + 16, *q = type == T_Q4_K ? b + 16 : b + 48;
      for (int g = 0; g < 8; g++) {
        int sc, mn;
        k_scale_min(b + 4, g, &sc, &mn);
        float s = d * (float)sc, m = dmin * (float)mn;
        const uint8_t *p = q + 32 * (g / 2);
        for (int j = 0; j < 32; j++) {
          int v = p[j] >> (4 * (g & 1)) & 15;
          if (type == T_Q5_K) v |= (h[j] >> g & 1) << 4;
          y[32 * g + j] = s * (float)v - m;
        }
      }
      break;
    }
    case T_Q6_K: {
      float d = half_at(b + 208);
      for (int half = 0; half < 2; half++) {
        const uint8_t *ql = b + 64 * half, *qh = b + 128 + 32 * half;
        const int8_t *sc = (const int8_t *)b + 192 + 8 * half;
        float *o = y + 128 * half;
        for (int e = 0; e < 128; e++) {
          int l = e & 31, part = e >> 5;
          int lo = ql[l + 32 * (part & 1)] >> (4 * (part >> 1)) & 15;
          int v = (lo | ((qh[l] >> (2 * part) & 3) << 4)) - 32;
          o[e] = d * (float)sc[e >> 4] * (float)v;
        }
      }
      break;
    }
    case T_IQ4_XS: {
      float d = half_at(b);
      uint16_t h;
      memcpy(&h, b + 2, 2);
      for (int g = 0; g < 8; g++) {
        int ls = (b[4 + g / 2] >> (4 * (g & 1)) & 15) | ((h >> (2 * g) & 3) << 4);
        float s = d * (float)(ls - 32);
        const uint8_t *p = b + 8 + 16 * g;
        for (int j = 0; j < 16; j++) {
          y[32 * g + j] = s * IQ4_VALUES[p[j] & 15];
          y[32 * g + 16 + j] = s * IQ4_VALUES[p[j] >> 4];
        }
      }
      break;
    }
    default:
      break;
  }
}

static void dequant_row(int type, const void *src, float *y, int64_t n) {
  const uint8_t *s = src;
  int64_t j = 0;
  switch (type) {
    case T_F32:
      memcpy(y, src, (size_t)n * 4);
      return;
    case T_F16:
      for (; j + VL <= n; j += VL) vf_store(y + j, vf_from_f16(s + 2 * j));
      for (; j < n; j++) y[j] = half_at(s + 2 * j);
      return;
    case T_BF16:
      for (; j + VL <= n; j += VL) vf_store(y + j, vf_from_bf16(s + 2 * j));
      for (; j < n; j++) {
        uint16_t h;
        memcpy(&h, s + 2 * j, 2);
        y[j] = bf16_to_f32(h);
      }
      return;
    default: {
      int be = consort_block_elements(type), bb = consort_block_bytes(type);
      for (; j < n; j += be, s += bb) dequant_block(type, s, y + j);
    }
  }
}
