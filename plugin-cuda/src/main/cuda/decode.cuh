// SPDX-License-Identifier: Apache-2.0
// Eight consecutive weights of a row, for each of GGUF's layouts.
#pragma once
#include "common.cuh"

__device__ __forceinline__ int u16(const uint8_t *p) { return *(const uint16_t *)p; }
__device__ __forceinline__ float half_(const uint8_t *p) {
  return __half2float(*(const __half *)p);
}
__device__ __forceinline__ uint2 pair2(const uint8_t *p) {
  return make_uint2(u16(p) | u16(p + 2) << 16, u16(p + 4) | u16(p + 6) << 16);
}
__device__ __forceinline__ uint2 pair1(const uint8_t *p) {
  return make_uint2(p[0] | p[1] << 8 | p[2] << 16 | (unsigned)p[3] << 24,
                    p[4] | p[5] << 8 | p[6] << 16 | (unsigned)p[7] << 24);
}
__device__ __forceinline__ int byteOf(uint2 w, int i) {
  return ((i < 4 ? w.x : w.y) >> (8 * (i & 3))) & 255;
}

__constant__ int8_t IQ4_LEVELS[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                      1,    13,   25,  38,  53,  69,  89,  113};
__constant__ int8_t TWICE_E2M1[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// The six-bit scale and minimum of one of eight groups of Q4_K and Q5_K.
__device__ __forceinline__ void kScale(const uint8_t *s, int g, int &scale, int &min) {
  if (g < 4) {
    scale = s[g] & 63;
    min = s[g + 4] & 63;
  } else {
    scale = (s[g + 4] & 15) | (s[g - 4] >> 6 << 4);
    min = (s[g + 4] >> 4) | (s[g] >> 6 << 4);
  }
}

template <int TYPE>
struct Block {
  static const int bytes = TYPE == Q8_0     ? 34
                           : TYPE == Q4_0   ? 18
                           : TYPE == Q4_1   ? 20
                           : TYPE == Q5_0   ? 22
                           : TYPE == Q5_1   ? 24
                           : TYPE == Q4_K   ? 144
                           : TYPE == Q5_K   ? 176
                           : TYPE == Q6_K   ? 210
                           : TYPE == Q2_K   ? 84
                           : TYPE == Q3_K   ? 110
                           : TYPE == IQ4_NL ? 18
                           : TYPE == IQ4_XS ? 136
                           : TYPE == MXFP4  ? 17
                                            : 0;
};

// Elements 8 g .. 8 g + 7. Rows of floats are aligned to 16 bytes.
template <int TYPE>
__device__ __forceinline__ void decode8(const char *row, int g, float *v) {
  if (TYPE == F32) {
    float4 a = ((const float4 *)row)[2 * g], b = ((const float4 *)row)[2 * g + 1];
    v[0] = a.x, v[1] = a.y, v[2] = a.z, v[3] = a.w;
    v[4] = b.x, v[5] = b.y, v[6] = b.z, v[7] = b.w;
    return;
  }
  if (TYPE == F16) {
    uint4 w = ((const uint4 *)row)[g];
    unsigned u[4] = {w.x, w.y, w.z, w.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
      float2 f = __half22float2(*(__half2 *)&u[i]);
      v[2 * i] = f.x, v[2 * i + 1] = f.y;
    }
    return;
  }
  if (TYPE == BF16) {
    uint4 w = ((const uint4 *)row)[g];
    unsigned u[4] = {w.x, w.y, w.z, w.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
      v[2 * i] = __uint_as_float(u[i] << 16);
      v[2 * i + 1] = __uint_as_float(u[i] & 0xffff0000u);
    }
    return;
  }
  if (TYPE == Q8_0 || TYPE == Q4_0 || TYPE == Q4_1 || TYPE == Q5_0 || TYPE == Q5_1 ||
      TYPE == IQ4_NL || TYPE == MXFP4) {
    const uint8_t *b = (const uint8_t *)row + (int64_t)(g >> 2) * Block<TYPE>::bytes;
    int part = g & 3, i0 = 8 * (part & 1), shift = part >> 1 << 2;
    if (TYPE == Q8_0) {
      float d = half_(b);
      uint2 w = pair2(b + 2 + 8 * part);
#pragma unroll
      for (int i = 0; i < 8; i++) v[i] = d * (int8_t)byteOf(w, i);
      return;
    }
    if (TYPE == MXFP4) {
      int e = b[0];
      float d = __uint_as_float(e < 2 ? 0x00200000u << e : (unsigned)(e - 1) << 23);
      uint2 w = pair1(b + 1 + i0);
#pragma unroll
      for (int i = 0; i < 8; i++) v[i] = d * TWICE_E2M1[byteOf(w, i) >> shift & 15];
      return;
    }
    float d = half_(b);
    if (TYPE == Q4_0 || TYPE == IQ4_NL) {
      uint2 w = pair2(b + 2 + i0);
#pragma unroll
      for (int i = 0; i < 8; i++) {
        int q = byteOf(w, i) >> shift & 15;
        v[i] = d * (TYPE == Q4_0 ? q - 8 : IQ4_LEVELS[q]);
      }
      return;
    }
    if (TYPE == Q4_1) {
      float m = half_(b + 2);
      uint2 w = pair2(b + 4 + i0);
#pragma unroll
      for (int i = 0; i < 8; i++) v[i] = d * (byteOf(w, i) >> shift & 15) + m;
      return;
    }
    const int head = TYPE == Q5_0 ? 2 : 4;
    unsigned fifths = (u16(b + head) | (unsigned)u16(b + head + 2) << 16) >> (8 * part);
    uint2 w = pair2(b + head + 4 + i0);
    float m = TYPE == Q5_0 ? -16 * d : half_(b + 2);
#pragma unroll
    for (int i = 0; i < 8; i++) {
      int q = (byteOf(w, i) >> shift & 15) | (fifths >> i & 1) << 4;
      v[i] = TYPE == Q5_0 ? d * (q - 16) : d * q + m;
    }
    return;
  }
  const uint8_t *b = (const uint8_t *)row + (int64_t)(g >> 5) * Block<TYPE>::bytes;
  int in = g & 31;
  if (TYPE == Q4_K || TYPE == Q5_K) {
    int group = in >> 2, i0 = 8 * (in & 3), scale, min;
    kScale(b + 4, group, scale, min);
    float2 dm = __half22float2(*(const __half2 *)b);
    float d = dm.x * scale, m = dm.y * min;
    const int levels = TYPE == Q4_K ? 16 : 48;
    uint2 w = *(const uint2 *)(b + levels + 32 * (group >> 1) + i0);
    int shift = 4 * (group & 1);
    uint2 f = TYPE == Q5_K ? *(const uint2 *)(b + 16 + i0) : make_uint2(0, 0);
#pragma unroll
    for (int i = 0; i < 8; i++) {
      int q = byteOf(w, i) >> shift & 15;
      if (TYPE == Q5_K) q |= (byteOf(f, i) >> group & 1) << 4;
      v[i] = d * q - m;
    }
    return;
  }
  int group = in >> 1, i0 = 8 * (in & 1), k = (group & 7) >> 1;
  if (TYPE == Q6_K) {
    float d = half_(b + 208) * (int8_t)b[192 + group];
    uint2 low = pair2(b + 64 * (group >> 3) + 32 * (k & 1) + 16 * (group & 1) + i0);
    uint2 high = pair2(b + 128 + 32 * (group >> 3) + 16 * (group & 1) + i0);
#pragma unroll
    for (int i = 0; i < 8; i++) {
      int q = (byteOf(low, i) >> (4 * (k >> 1)) & 15) | (byteOf(high, i) >> (2 * k) & 3) << 4;
      v[i] = d * (q - 32);
    }
    return;
  }
  if (TYPE == Q2_K) {
    int packed = b[group];
    float d = half_(b + 80) * (packed & 15), m = half_(b + 82) * (packed >> 4);
    uint2 w = pair2(b + 16 + 32 * (group >> 3) + 16 * (group & 1) + i0);
#pragma unroll
    for (int i = 0; i < 8; i++) v[i] = d * (byteOf(w, i) >> (2 * k) & 3) - m;
    return;
  }
  if (TYPE == Q3_K) {
    int low4 = b[96 + (group & 7)] >> (group >> 3 << 2) & 15;
    int high2 = b[104 + (group & 3)] >> (group >> 2 << 1) & 3;
    float d = half_(b + 108) * ((low4 | high2 << 4) - 32);
    uint2 w = pair2(b + 32 + 32 * (group >> 3) + 16 * (group & 1) + i0);
    uint2 t = pair2(b + 16 * (group & 1) + i0);
#pragma unroll
    for (int i = 0; i < 8; i++) {
      int q = (byteOf(w, i) >> (2 * k) & 3) | (byteOf(t, i) >> (group >> 1) & 1) << 2;
      v[i] = d * (q - 4);
    }
    return;
  }
  if (TYPE == IQ4_XS) {
    int g32 = in >> 2, part = in & 3, j0 = 8 * (part & 1), shift = part >> 1 << 2;
    int low = b[4 + (g32 >> 1)] >> (4 * (g32 & 1)) & 15;
    float d = half_(b) * ((low | (u16(b + 2) >> (2 * g32) & 3) << 4) - 32);
    uint2 w = pair2(b + 8 + 16 * g32 + j0);
#pragma unroll
    for (int i = 0; i < 8; i++) v[i] = d * IQ4_LEVELS[byteOf(w, i) >> shift & 15];
  }
}

#define FOR_QUANTIZED(X)                                                                     \
  X(q8_0, Q8_0) X(q4_0, Q4_0) X(q4_1, Q4_1) X(q5_0, Q5_0) X(q5_1, Q5_1) X(q4_k, Q4_K)        \
  X(q5_k, Q5_K) X(q6_k, Q6_K) X(q2_k, Q2_K) X(q3_k, Q3_K) X(iq4_nl, IQ4_NL)                  \
  X(iq4_xs, IQ4_XS) X(mxfp4, MXFP4)
#define FOR_TYPES(X) X(f32, F32) X(f16, F16) X(bf16, BF16) FOR_QUANTIZED(X)
