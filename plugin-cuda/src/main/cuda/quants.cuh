// SPDX-License-Identifier: Apache-2.0
// Products of quantised weights in shared memory with activations in eight bits.
#pragma once
#include "ring.cuh"

// Activations in eight bits, in shared memory. Of 64 elements each 16 lie in a plane of their own,
// so that neighbouring lanes read from different banks.
struct SharedQuants {
  static const int CHUNK = 2048;
  int4 *units;
  float *scale;  // of 32 elements
  float *sum;    // of 32, scaled
  int plane;

  __device__ __forceinline__ SharedQuants(char *memory, int k) {
    plane = (k + 63) / 64 + 1;
    units = (int4 *)memory;
    scale = (float *)(units + 4 * plane);
    sum = scale + (k / 32 + 1) / 2 * 2;
  }
  __device__ __forceinline__ void expect(const Source &, int) {}
  template <bool>
  __device__ __forceinline__ void bring(const Ring &p) {
    const char *from = p.ready;
    int k = p.k;
    Quants x(from, k);
    for (int i = threadIdx.x; i < k / 16; i += blockDim.x) {
      int4 unit = __ldcg((const int4 *)x.q + i);
      float part = __ldcg(x.sum + i), factor = i & 1 ? 0 : __ldcg(x.scale + i / 2);
      part += __shfl_xor_sync(3u << (threadIdx.x & 30), part, 1);
      units[(i & 3) * plane + (i >> 2)] = unit;
      if (!(i & 1)) scale[i / 2] = factor, sum[i / 2] = part;
    }
  }
  __device__ __forceinline__ int4 unit(int group, int u) const { return units[u * plane + group]; }
};

__device__ __forceinline__ int dot16(const unsigned *w, int4 x, int sum) {
  return __dp4a((int)w[0], x.x,
                __dp4a((int)w[1], x.y, __dp4a((int)w[2], x.z, __dp4a((int)w[3], x.w, sum))));
}

// Words from an even address.
template <int COUNT>
__device__ __forceinline__ void loadWords(const uint8_t *p, unsigned *w) {
  const unsigned *from = (const unsigned *)((uintptr_t)p & ~(uintptr_t)3);
  int shift = ((uintptr_t)p & 2) * 8;
  unsigned last = from[0];
#pragma unroll
  for (int i = 0; i < COUNT; i++) {
    unsigned next = i + 1 < COUNT || shift ? from[i + 1] : 0;
    w[i] = __funnelshift_r(last, next, shift);
    last = next;
  }
}

__device__ __forceinline__ void loadUnit(const uint8_t *p, unsigned *w) {
  uint4 v = *(const uint4 *)p;
  w[0] = v.x, w[1] = v.y, w[2] = v.z, w[3] = v.w;
}

// The activations that a lane takes at once of 64 weights, of two groups of 32.
struct Met {
  int4 x[4];
  float2 scale;
  float2 sum;
};

// Group g of 64 of a row, of super-blocks: what shares its bytes lies together.
template <int TYPE>
__device__ __forceinline__ Met meet(const SharedQuants &x, int g) {
  Met m;
  if (TYPE == Q6_K) {
    int first = g & ~1, u = 2 * (g & 1), s = 2 * first + (g & 1);
    m.x[0] = x.unit(first, u), m.x[1] = x.unit(first, u + 1);
    m.x[2] = x.unit(first + 1, u), m.x[3] = x.unit(first + 1, u + 1);
    m.scale = make_float2(x.scale[s], x.scale[s + 2]);
  } else {
#pragma unroll
    for (int u = 0; u < 4; u++) m.x[u] = x.unit(g, u);
    m.scale = ((const float2 *)x.scale)[g];
    m.sum = ((const float2 *)x.sum)[g];
  }
  return m;
}

template <int TYPE>
__device__ __forceinline__ float dot64(const uint8_t *row, int g, const Met &x) {
  const uint8_t *b = row + (g >> 2) * Block<TYPE>::bytes;
  unsigned w[8], low[8], high[8];
  if constexpr (TYPE == Q6_K) {
    int half = g >> 1 & 1, k = g & 1;
    unsigned top[8];
    loadWords<8>(b + 64 * half + 32 * k, w);
    loadWords<8>(b + 128 + 32 * half, top);
    unsigned scales = u16(b + 192 + 8 * half + 2 * k) | u16(b + 196 + 8 * half + 2 * k) << 16;
    // Four times the weight: its offset of 32 turns the highest bit over.
#pragma unroll
    for (int i = 0; i < 8; i++) {
      unsigned l = top[i] << (6 - 2 * k), h = top[i] << (2 - 2 * k);
      low[i] = (w[i] << 2 & 0x3c3c3c3c) | ((l & 0xc0c0c0c0) ^ 0x80808080);
      high[i] = (w[i] >> 2 & 0x3c3c3c3c) | ((h & 0xc0c0c0c0) ^ 0x80808080);
    }
    int first = (int8_t)scales * dot16(low, x.x[0], 0) +
                (int8_t)(scales >> 8) * dot16(low + 4, x.x[1], 0);
    int second = (int8_t)(scales >> 16) * dot16(high, x.x[2], 0) +
                 (int8_t)(scales >> 24) * dot16(high + 4, x.x[3], 0);
    return 0.25f * half_(b + 208) * (x.scale.x * first + x.scale.y * second);
  }
  int pair = g & 3;
  uint4 head = *(const uint4 *)b;
  const uint8_t *levels = b + (TYPE == Q4_K ? 16 : 48) + 32 * pair;
  loadUnit(levels, w);
  loadUnit(levels + 16, w + 4);
#pragma unroll
  for (int i = 0; i < 8; i++) low[i] = w[i] & 0x0f0f0f0f, high[i] = w[i] >> 4 & 0x0f0f0f0f;
  if (TYPE == Q5_K) {
    unsigned fifths[8];
    loadUnit(b + 16, fifths);
    loadUnit(b + 32, fifths + 4);
#pragma unroll
    for (int i = 0; i < 8; i++) {
      unsigned f = fifths[i] >> (2 * pair);
      low[i] |= (f & 0x01010101) << 4;
      high[i] |= (f & 0x02020202) << 3;
    }
  }
  // The scales and minima of groups 2 pair and 2 pair + 1, a byte each.
  int shift = 16 * (pair & 1);
  unsigned s = head.y >> shift, m = head.z >> shift, r = head.w >> shift;
  unsigned scales = pair < 2 ? s & 0x3f3f : (r & 0x0f0f) | (s >> 2 & 0x3030);
  unsigned minima = pair < 2 ? m & 0x3f3f : (r >> 4 & 0x0f0f) | (m >> 2 & 0x3030);
  float2 d = __half22float2(*(const __half2 *)&head.x);
  int first = (int)(scales & 255) * dot16(low, x.x[0], dot16(low + 4, x.x[1], 0));
  int second = (int)(scales >> 8 & 255) * dot16(high, x.x[2], dot16(high + 4, x.x[3], 0));
  float dots = x.scale.x * first + x.scale.y * second;
  float sums = (minima & 255) * x.sum.x + (minima >> 8 & 255) * x.sum.y;
  return d.x * dots - d.y * sums;
}

// Block i of 32.
template <int TYPE>
__device__ __forceinline__ float dot32(const uint8_t *row, int i, int4 x0, int4 x1, float scale,
                                       float sum) {
  const uint8_t *b = row + i * Block<TYPE>::bytes;
  unsigned w[8];
  float d = half_(b) * scale;
  if (TYPE == Q8_0) {
    loadWords<8>(b + 2, w);
    return d * dot16(w, x0, dot16(w + 4, x1, 0));
  }
  unsigned low[4], high[4];
  loadWords<4>(b + 2, w);
#pragma unroll
  for (int j = 0; j < 4; j++) low[j] = w[j] & 0x0f0f0f0f, high[j] = w[j] >> 4 & 0x0f0f0f0f;
  return d * dot16(low, x0, dot16(high, x1, 0)) - 8 * half_(b) * sum;
}

// Adds what a lane has of n elements from e on; a and b point at the first of them.
template <int TYPE>
__device__ __forceinline__ void addQuants(const SharedQuants &x, const uint8_t *a,
                                          const uint8_t *b, int e, int n, float *sums) {
  int lane = threadIdx.x & 31;
  if constexpr (TYPE == Q4_K || TYPE == Q5_K || TYPE == Q6_K) {
    if (lane < n >> 6) {
      // A chunk begins with a super-block.
      Met met = meet<TYPE>(x, (e >> 6) + lane);
      sums[0] += dot64<TYPE>(a, lane, met);
      sums[1] += dot64<TYPE>(b, lane, met);
    }
  } else {
#pragma unroll 2
    for (int i = lane; i < n >> 5; i += 32) {
      int at = (e >> 5) + i, u = 2 * (at & 1);
      int4 x0 = x.unit(at >> 1, u), x1 = x.unit(at >> 1, u + 1);
      float scale = x.scale[at], sum = x.sum[at];
      sums[0] += dot32<TYPE>(a, i, x0, x1, scale, sum);
      sums[1] += dot32<TYPE>(b, i, x0, x1, scale, sum);
    }
  }
}

struct TakeQuants {
  typedef SharedQuants X;
  static __device__ __forceinline__ void add(const X &x, int type, const uint8_t *a,
                                             const uint8_t *b, int e, int n, float *sums) {
    switch (type) {
      case Q4_K: return addQuants<Q4_K>(x, a, b, e, n, sums);
      case Q5_K: return addQuants<Q5_K>(x, a, b, e, n, sums);
      case Q6_K: return addQuants<Q6_K>(x, a, b, e, n, sums);
      case Q8_0: return addQuants<Q8_0>(x, a, b, e, n, sums);
      default: return addQuants<Q4_0>(x, a, b, e, n, sums);
    }
  }
};
