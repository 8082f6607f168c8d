// SPDX-License-Identifier: Apache-2.0
// Packed blocks (pack.c) to unsigned bytes: vector j holds elements 4j..4j+3 of sixteen rows.
#pragma once
#include "dequant.h"

// What a stored weight has to be reduced by is 1 << SHIFT; 7 ("wide") is the signed case.
INLINE int type_shift(const int type) {
  switch (type) {
    case T_Q4_0: return 3;
    case T_Q5_0: return 4;
    case T_Q8_0: case T_IQ4_NL: case T_MXFP4: case T_IQ4_XS: return 7;
    case T_Q6_K: return 5;
    case T_Q3_K: return 2;
    default: return -1;
  }
}
INLINE int type_has_min(const int type) {
  return type == T_Q4_1 || type == T_Q5_1 || type == T_Q4_K || type == T_Q5_K || type == T_Q2_K;
}
// Scales for groups of 16 elements rather than of 32.
INLINE int type_sub16(const int type) {
  return type == T_Q6_K || type == T_Q3_K || type == T_Q2_K;
}
INLINE int type_is256(const int type) {
  return type == T_Q2_K || type == T_Q3_K || type == T_Q4_K || type == T_Q5_K || type == T_Q6_K
      || type == T_IQ4_XS;
}

INLINE __m128i byte_table(const int8_t *values, int bias) {
  int8_t t[16];
#pragma GCC unroll 16
  for (int j = 0; j < 16; j++) t[j] = (int8_t)(values[j] + bias);
  return _mm_loadu_si128((const __m128i *)t);
}

INLINE void unpack32(const int type, const char *p, vi w[8], vf *d, vf *m) {
  const vi low = vi_set(0x0f0f0f0f);
  *m = vf_zero();
  if (type == T_Q8_0) {
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) w[j] = vi_load(p + 64 * j);
    *d = vf_from_f16(p + 512);
    return;
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    vi v = vi_load(p + 64 * j);
    w[j] = vi_and(v, low);
    w[j + 4] = vi_and(vi_shr(v, 4), low);
  }
  const char *s = p + 256;
  if (type == T_IQ4_NL || type == T_MXFP4) {
    __m128i t = byte_table(type == T_IQ4_NL ? IQ4_VALUES : FP4_VALUES, -128);
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) w[j] = vi_lookup(t, w[j]);
  }
  if (type == T_Q5_0 || type == T_Q5_1) {
    vi h = vi_load(s);
    const vi one = vi_set(0x01010101);
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) {
      w[j] = vi_or(w[j], vi_shl(vi_and(vi_shr(h, j), one), 4));
    }
    s += 64;
  }
  if (type == T_MXFP4) {
    float e[16];
#pragma GCC unroll 16
    for (int j = 0; j < 16; j++) e[j] = e8m0_half((uint8_t)s[j]);
    *d = vf_load(e);
  } else {
    *d = vf_from_f16(s);
  }
  if (type == T_Q4_1 || type == T_Q5_1) *m = vf_from_f16(s + 32);
}

// Elements 32 sub .. 32 sub + 31 of a block of 256.
INLINE void unpack256(const int type, const char *p, int sub, vi w[8]) {
  const vi low = vi_set(0x0f0f0f0f);
  if (type == T_Q4_K || type == T_Q5_K) {
    const char *q = p + (type == T_Q4_K ? 256 : 768) + 512 * (sub >> 1);
    if (sub & 1) {
#pragma GCC unroll 8
      for (int j = 0; j < 8; j++) w[j] = vi_and(vi_shr(vi_load(q + 64 * j), 4), low);
    } else {
#pragma GCC unroll 8
      for (int j = 0; j < 8; j++) w[j] = vi_and(vi_load(q + 64 * j), low);
    }
    if (type == T_Q5_K) {
      const vi one = vi_set(0x01010101);
#pragma GCC unroll 8
      for (int j = 0; j < 8; j++) {
        vi h = vi_shr(vi_load(p + 256 + 64 * j), sub);
        w[j] = vi_or(w[j], vi_shl(vi_and(h, one), 4));
      }
    }
  } else if (type == T_Q6_K) {
    int half = sub >> 2, part = sub & 3;
    const char *q = p + 288 + 1536 * half + 64 * (part & 1), *h = p + 288 + 1536 * half + 128;
    const vi two = vi_set(0x03030303);
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) {
      vi lo = vi_and(vi_shr(vi_load(q + 192 * j), 4 * (part >> 1)), low);
      vi hi = vi_and(vi_shr(vi_load(h + 192 * j), 2 * part), two);
      w[j] = vi_or(lo, vi_shl(hi, 4));
    }
  } else if (type == T_Q3_K || type == T_Q2_K) {
    const char *q = p + 512 * (sub >> 2);
    const vi two = vi_set(0x03030303), one = vi_set(0x01010101);
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) {
      w[j] = vi_and(vi_shr(vi_load(q + 64 * j), 2 * (sub & 3)), two);
      if (type == T_Q3_K) {
        vi h = vi_and(vi_shr(vi_load(p + 1024 + 64 * j), sub), one);
        w[j] = vi_or(w[j], vi_shl(h, 2));
      }
    }
  } else {  // IQ4_XS
    __m128i t = byte_table(IQ4_VALUES, -128);
    const char *q = p + 256 * sub;
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      vi v = vi_load(q + 64 * j);
      w[j] = vi_lookup(t, vi_and(v, low));
      w[j + 4] = vi_lookup(t, vi_and(vi_shr(v, 4), low));
    }
  }
}

INLINE __m128i row_bytes(const char *p) { return _mm_loadu_si128((const __m128i *)p); }
INLINE vf bytes_to_f(__m128i v) {
  char t[16];
  _mm_storeu_si128((__m128i *)t, v);
  return vf_from_i8(t);
}
INLINE vi byte_pairs(__m128i first, __m128i second) {
  __m256i a = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(first, second));
  __m256i b = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(first, second));
#if defined(__AVX512F__)
  return _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);
#else
  return I2(a, b);
#endif
}

// The scales of a block of 256 (per 32 elements, or per 16), its minimums as pairs of 16 bits
// (Q4_K, Q5_K: mins[4]; Q2_K: as floats in smins[16]) and the factor of the minimums.
INLINE void scales256(const int type, const char *p, vf *scale, vi *mins, vf *smins, vf *dmin) {
  *dmin = vf_zero();
  if (type == T_Q4_K || type == T_Q5_K) {
    const char *s = p + 64;
    vf d = vf_from_f16(p);
    *dmin = vf_from_f16(p + 32);
    const __m128i m63 = _mm_set1_epi8(63), m15 = _mm_set1_epi8(15), m3 = _mm_set1_epi8(3);
    __m128i mn[8];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      __m128i a = row_bytes(s + 16 * j), b = row_bytes(s + 16 * (j + 4));
      __m128i c = row_bytes(s + 16 * (j + 8));
      scale[j] = vf_mul(d, bytes_to_f(_mm_and_si128(a, m63)));
      mn[j] = _mm_and_si128(b, m63);
      __m128i ah = _mm_slli_epi16(_mm_and_si128(_mm_srli_epi16(a, 6), m3), 4);
      __m128i bh = _mm_slli_epi16(_mm_and_si128(_mm_srli_epi16(b, 6), m3), 4);
      scale[j + 4] = vf_mul(d, bytes_to_f(_mm_or_si128(_mm_and_si128(c, m15), ah)));
      mn[j + 4] = _mm_or_si128(_mm_and_si128(_mm_srli_epi16(c, 4), m15), bh);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) mins[j] = byte_pairs(mn[2 * j], mn[2 * j + 1]);
  } else if (type == T_Q6_K) {
    vf d = vf_from_f16(p);
#pragma GCC unroll 16
    for (int j = 0; j < 16; j++) scale[j] = vf_mul(d, vf_from_i8(p + 32 + 16 * j));
  } else if (type == T_Q3_K) {
    const char *s = p + 1536;
    vf d = vf_from_f16(s + 192);
    const __m128i m15 = _mm_set1_epi8(15), m3 = _mm_set1_epi8(3), off = _mm_set1_epi8(32);
#pragma GCC unroll 16
    for (int j = 0; j < 16; j++) {
      __m128i lo = row_bytes(s + 16 * (j & 7));
      lo = _mm_and_si128(j < 8 ? lo : _mm_srli_epi16(lo, 4), m15);
      __m128i hi = row_bytes(s + 16 * (8 + (j & 3)));
      hi = _mm_and_si128(_mm_srl_epi16(hi, _mm_cvtsi32_si128(2 * (j >> 2))), m3);
      scale[j] = vf_mul(d,
          bytes_to_f(_mm_sub_epi8(_mm_or_si128(lo, _mm_slli_epi16(hi, 4)), off)));
    }
  } else if (type == T_Q2_K) {
    const char *s = p + 1024;
    vf d = vf_from_f16(s + 256);
    *dmin = vf_from_f16(s + 288);
    const __m128i m15 = _mm_set1_epi8(15);
#pragma GCC unroll 16
    for (int j = 0; j < 16; j++) {
      __m128i v = row_bytes(s + 16 * j);
      scale[j] = vf_mul(d, bytes_to_f(_mm_and_si128(v, m15)));
      smins[j] = vf_mul(*dmin, bytes_to_f(_mm_and_si128(_mm_srli_epi16(v, 4), m15)));
    }
  } else {  // IQ4_XS
    const char *s = p + 2048;
    vf d = vf_from_f16(s + 96);
    const __m128i m15 = _mm_set1_epi8(15), off = _mm_set1_epi8(32);
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) {
      __m128i lo = row_bytes(s + 32 + 16 * (j >> 1));
      lo = _mm_and_si128(j & 1 ? _mm_srli_epi16(lo, 4) : lo, m15);
      // 16 rows of 16 bits: two bits each
      __m256i h = _mm256_loadu_si256((const __m256i *)s);
      h = _mm256_and_si256(_mm256_srl_epi16(h, _mm_cvtsi32_si128(2 * j)), _mm256_set1_epi16(3));
      __m128i hi = _mm_packus_epi16(_mm256_castsi256_si128(h), _mm256_extracti128_si256(h, 1));
      scale[j] = vf_mul(d,
          bytes_to_f(_mm_sub_epi8(_mm_or_si128(lo, _mm_slli_epi16(hi, 4)), off)));
    }
  }
}
