// SPDX-License-Identifier: Apache-2.0
// Sixteen lanes of 32 bits: one AVX-512 register, or two of AVX2.
#pragma once
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define VL 16

#if defined(__AVX512F__)

typedef __m512 vf;
typedef __m512i vi;
INLINE vf vf_zero(void) { return _mm512_setzero_ps(); }
INLINE vf vf_set(float x) { return _mm512_set1_ps(x); }
INLINE vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void vf_store(float *p, vf x) { _mm512_storeu_ps(p, x); }
INLINE __mmask16 vf_mask(int n) { return (__mmask16)((1u << n) - 1); }
INLINE vf vf_load_n(const float *p, int n) { return _mm512_maskz_loadu_ps(vf_mask(n), p); }
INLINE void vf_store_n(float *p, vf x, int n) { _mm512_mask_storeu_ps(p, vf_mask(n), x); }
INLINE vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
INLINE vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
INLINE vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
INLINE vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vf vf_abs(vf a) { return _mm512_abs_ps(a); }
INLINE float vf_hsum(vf a) { return _mm512_reduce_add_ps(a); }
INLINE float vf_hmax(vf a) { return _mm512_reduce_max_ps(a); }
INLINE vf vf_round(vf a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE vf vf_from_f16(const void *p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}
INLINE vf vf_from_bf16(const void *p) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(
      _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16));
}
INLINE void vf_to_f16(void *p, vf x) {
  _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}
INLINE vf vf_from_i8(const void *p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
INLINE vf vf_from_u8(const void *p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
INLINE void vf_to_i8(void *p, vf x) {  // rounded already, within -127..127
  _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}
INLINE vf vf_exp2i(vf n) {  // 2^n for integral n in -126..127
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23));
}
INLINE vi vi_zero(void) { return _mm512_setzero_si512(); }
INLINE vi vi_set(int x) { return _mm512_set1_epi32(x); }
INLINE vi vi_load(const void *p) { return _mm512_loadu_si512(p); }
INLINE void vi_store(void *p, vi x) { _mm512_storeu_si512(p, x); }
INLINE vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
INLINE vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
INLINE vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
INLINE vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
// The bits of a where the mask has ones, else those of b.
INLINE vi vi_select(vi mask, vi a, vi b) { return _mm512_ternarylogic_epi32(mask, a, b, 0xca); }
#define vi_shr(a, n) _mm512_srli_epi32(a, n)
#define vi_shl(a, n) _mm512_slli_epi32(a, n)
INLINE vf vi_to_f(vi a) { return _mm512_cvtepi32_ps(a); }
// acc[l] += sum over j of (unsigned) u[4l+j] * (signed) four[j]; `wide`: u may exceed 63
INLINE vi vi_dot(vi acc, vi u, const void *four, const int wide) {
  (void)wide;
  int32_t s;
  memcpy(&s, four, 4);
  return _mm512_dpbusd_epi32(acc, u, _mm512_set1_epi32(s));
}
INLINE vi vi_dotv(vi acc, vi u, vi s, const int wide) {
  (void)wide;
  return _mm512_dpbusd_epi32(acc, u, s);
}
// acc[l] += pair products of 16-bit lanes
INLINE vi vi_dot16(vi acc, vi a, const void *two) {
  int32_t s;
  memcpy(&s, two, 4);
  return _mm512_dpwssd_epi32(acc, a, _mm512_set1_epi32(s));
}
// Looks up each low nibble of u in 16 bytes.
INLINE vi vi_lookup(__m128i table, vi u) {
  return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), u);
}
// What a wide unsigned weight's accumulator begins with, given -sum of the activations.
#define WIDE_START(negsum) _mm512_slli_epi32(negsum, 7)

#else

typedef struct { __m256 a, b; } vf;
typedef struct { __m256i a, b; } vi;
#define F2(e1, e2) ((vf){e1, e2})
#define I2(e1, e2) ((vi){e1, e2})
INLINE vf vf_zero(void) { return F2(_mm256_setzero_ps(), _mm256_setzero_ps()); }
INLINE vf vf_set(float x) { return F2(_mm256_set1_ps(x), _mm256_set1_ps(x)); }
INLINE vf vf_load(const float *p) { return F2(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)); }
INLINE void vf_store(float *p, vf x) {
  _mm256_storeu_ps(p, x.a);
  _mm256_storeu_ps(p + 8, x.b);
}
INLINE vf vf_load_n(const float *p, int n) {
  float t[16] = {0};
  memcpy(t, p, (size_t)n * 4);
  return vf_load(t);
}
INLINE void vf_store_n(float *p, vf x, int n) {
  float t[16];
  vf_store(t, x);
  memcpy(p, t, (size_t)n * 4);
}
INLINE vf vf_add(vf x, vf y) { return F2(_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)); }
INLINE vf vf_sub(vf x, vf y) { return F2(_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)); }
INLINE vf vf_mul(vf x, vf y) { return F2(_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)); }
INLINE vf vf_div(vf x, vf y) { return F2(_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)); }
INLINE vf vf_max(vf x, vf y) { return F2(_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)); }
INLINE vf vf_min(vf x, vf y) { return F2(_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b)); }
INLINE vf vf_fma(vf x, vf y, vf z) {
  return F2(_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b));
}
INLINE vf vf_abs(vf x) {
  __m256 m = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
  return F2(_mm256_and_ps(x.a, m), _mm256_and_ps(x.b, m));
}
INLINE float vf_hsum(vf x) {
  __m256 s = _mm256_add_ps(x.a, x.b);
  __m128 q = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
  q = _mm_add_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}
INLINE float vf_hmax(vf x) {
  __m256 s = _mm256_max_ps(x.a, x.b);
  __m128 q = _mm_max_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
  q = _mm_max_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}
INLINE vf vf_round(vf x) {
  return F2(_mm256_round_ps(x.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
      _mm256_round_ps(x.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
INLINE vf vf_from_f16(const void *p) {
  const __m128i *q = p;
  return F2(_mm256_cvtph_ps(_mm_loadu_si128(q)), _mm256_cvtph_ps(_mm_loadu_si128(q + 1)));
}
INLINE vf vf_from_bf16(const void *p) {
  const __m128i *q = p;
  return F2(_mm256_castsi256_ps(
                _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(q)), 16)),
      _mm256_castsi256_ps(
          _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(q + 1)), 16)));
}
INLINE void vf_to_f16(void *p, vf x) {
  __m128i *q = p;
  _mm_storeu_si128(q, _mm256_cvtps_ph(x.a, _MM_FROUND_TO_NEAREST_INT));
  _mm_storeu_si128(q + 1, _mm256_cvtps_ph(x.b, _MM_FROUND_TO_NEAREST_INT));
}
INLINE vf vf_from_i8(const void *p) {
  __m128i v = _mm_loadu_si128((const __m128i *)p);
  return F2(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(v)),
      _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(v, 8))));
}
INLINE vf vf_from_u8(const void *p) {
  __m128i v = _mm_loadu_si128((const __m128i *)p);
  return F2(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(v)),
      _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(v, 8))));
}
INLINE void vf_to_i8(void *p, vf x) {
  int32_t t[16];
  _mm256_storeu_si256((__m256i *)t, _mm256_cvtps_epi32(x.a));
  _mm256_storeu_si256((__m256i *)(t + 8), _mm256_cvtps_epi32(x.b));
  for (int j = 0; j < 16; j++) ((int8_t *)p)[j] = (int8_t)t[j];
}
INLINE __m256 exp2i_half(__m256 n) {
  return _mm256_castsi256_ps(
      _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}
INLINE vf vf_exp2i(vf n) { return F2(exp2i_half(n.a), exp2i_half(n.b)); }
INLINE vi vi_zero(void) { return I2(_mm256_setzero_si256(), _mm256_setzero_si256()); }
INLINE vi vi_set(int x) { return I2(_mm256_set1_epi32(x), _mm256_set1_epi32(x)); }
INLINE vi vi_load(const void *p) {
  const __m256i *q = p;
  return I2(_mm256_loadu_si256(q), _mm256_loadu_si256(q + 1));
}
INLINE void vi_store(void *p, vi x) {
  _mm256_storeu_si256((__m256i *)p, x.a);
  _mm256_storeu_si256((__m256i *)p + 1, x.b);
}
INLINE vi vi_and(vi x, vi y) {
  return I2(_mm256_and_si256(x.a, y.a), _mm256_and_si256(x.b, y.b));
}
INLINE vi vi_or(vi x, vi y) { return I2(_mm256_or_si256(x.a, y.a), _mm256_or_si256(x.b, y.b)); }
INLINE vi vi_xor(vi x, vi y) {
  return I2(_mm256_xor_si256(x.a, y.a), _mm256_xor_si256(x.b, y.b));
}
INLINE vi vi_add(vi x, vi y) {
  return I2(_mm256_add_epi32(x.a, y.a), _mm256_add_epi32(x.b, y.b));
}
#define vi_shr(x, n) I2(_mm256_srli_epi32((x).a, n), _mm256_srli_epi32((x).b, n))
#define vi_shl(x, n) I2(_mm256_slli_epi32((x).a, n), _mm256_slli_epi32((x).b, n))
INLINE vf vi_to_f(vi x) { return F2(_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)); }
INLINE __m256i dot_half(__m256i acc, __m256i u, __m256i s, const int wide) {
  if (wide) {  // back to signed, so that the pairs fit in 16 bits
    __m256i w = _mm256_xor_si256(u, _mm256_set1_epi8((char)0x80));
    s = _mm256_sign_epi8(s, w);
    u = _mm256_abs_epi8(w);
  }
  __m256i p = _mm256_maddubs_epi16(u, s);
  return _mm256_add_epi32(acc, _mm256_madd_epi16(p, _mm256_set1_epi16(1)));
}
INLINE vi vi_dotv(vi acc, vi u, vi s, const int wide) {
  return I2(dot_half(acc.a, u.a, s.a, wide), dot_half(acc.b, u.b, s.b, wide));
}
INLINE vi vi_dot(vi acc, vi u, const void *four, const int wide) {
  int32_t s;
  memcpy(&s, four, 4);
  __m256i v = _mm256_set1_epi32(s);
  return I2(dot_half(acc.a, u.a, v, wide), dot_half(acc.b, u.b, v, wide));
}
INLINE vi vi_dot16(vi acc, vi x, const void *two) {
  int32_t s;
  memcpy(&s, two, 4);
  __m256i v = _mm256_set1_epi32(s);
  return I2(_mm256_add_epi32(acc.a, _mm256_madd_epi16(x.a, v)),
      _mm256_add_epi32(acc.b, _mm256_madd_epi16(x.b, v)));
}
INLINE vi vi_lookup(__m128i table, vi u) {
  __m256i t = _mm256_broadcastsi128_si256(table);
  return I2(_mm256_shuffle_epi8(t, u.a), _mm256_shuffle_epi8(t, u.b));
}
#define WIDE_START(negsum) vi_zero()

#endif

INLINE float f16_to_f32(uint16_t h) { return _cvtsh_ss(h); }
INLINE uint16_t f32_to_f16(float f) { return _cvtss_sh(f, _MM_FROUND_TO_NEAREST_INT); }
INLINE float bf16_to_f32(uint16_t h) {
  uint32_t u = (uint32_t)h << 16;
  float f;
  memcpy(&f, &u, 4);
  return f;
}
INLINE uint16_t f32_to_bf16(float f) {
  uint32_t u;
  memcpy(&u, &f, 4);
  if ((u & 0x7fffffff) > 0x7f800000) return (uint16_t)((u >> 16) | 64);
  return (uint16_t)((u + (0x7fff + ((u >> 16) & 1))) >> 16);
}

// e^x, about 1 ulp: x = n ln2 + r, |r| <= ln2/2; a polynomial of degree 6 for e^r.
INLINE vf vf_exp(vf x) {
  vf lo = vf_set(-104.0f), hi = vf_set(89.0f);
  vf c = vf_min(hi, vf_max(lo, x));  // in this order a NaN stays one
  vf n = vf_round(vf_mul(c, vf_set(1.44269504088896341f)));
  vf r = vf_fma(n, vf_set(-0.693145751953125f), c);
  r = vf_fma(n, vf_set(-1.42860682030941723212e-6f), r);
  vf p = vf_set(1.9875691500e-4f);
  p = vf_fma(p, r, vf_set(1.3981999507e-3f));
  p = vf_fma(p, r, vf_set(8.3334519073e-3f));
  p = vf_fma(p, r, vf_set(4.1665795894e-2f));
  p = vf_fma(p, r, vf_set(1.6666665459e-1f));
  p = vf_fma(p, r, vf_set(5.0000001201e-1f));
  p = vf_fma(vf_mul(r, r), p, vf_add(r, vf_set(1.0f)));
  // n may be beyond a float's exponents: two factors
  vf h = vf_round(vf_mul(n, vf_set(0.5f)));
  return vf_mul(vf_mul(p, vf_exp2i(h)), vf_exp2i(vf_sub(n, h)));
}

#if defined(__AVX512F__)
// Lane j is the sum of v[j]'s lanes.
INLINE vf hsum16(const vf v[16]) {
  vf t[8], u[4], w[2];
  for (int i = 0; i < 8; i++) {
    t[i] = vf_add(_mm512_unpacklo_ps(v[2 * i], v[2 * i + 1]),
        _mm512_unpackhi_ps(v[2 * i], v[2 * i + 1]));
  }
  for (int i = 0; i < 4; i++) {
    __m512d a = _mm512_castps_pd(t[2 * i]), b = _mm512_castps_pd(t[2 * i + 1]);
    u[i] = vf_add(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)),
        _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
  }
  for (int i = 0; i < 2; i++) {
    w[i] = vf_add(_mm512_shuffle_f32x4(u[2 * i], u[2 * i + 1], 0x88),
        _mm512_shuffle_f32x4(u[2 * i], u[2 * i + 1], 0xdd));
  }
  return vf_add(_mm512_shuffle_f32x4(w[0], w[1], 0x88), _mm512_shuffle_f32x4(w[0], w[1], 0xdd));
}
#else
INLINE vf hsum16(const vf v[16]) {
  float t[16];
  for (int j = 0; j < 16; j++) t[j] = vf_hsum(v[j]);
  return vf_load(t);
}
#endif

INLINE int64_t pad16(int64_t n) { return (n + 15) / 16 * 16; }
