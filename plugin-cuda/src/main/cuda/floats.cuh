// SPDX-License-Identifier: Apache-2.0
// Products of 16-bit floats in shared memory with activations as they are, or made by a norm.
#pragma once
#include "norm.cuh"
#include "ring.cuh"

__device__ __forceinline__ float4 scaled(float4 v, float scale, float4 w) {
  return make_float4(v.x * scale * w.x, v.y * scale * w.y, v.z * scale * w.z, v.w * scale * w.w);
}

// Activations as they are, of each eight the first four and the last four in a plane of their own.
struct SharedFloats {
  static const int CHUNK = 1024, COUNT = 4;
  float4 *first;
  float4 *last;
  float4 values[COUNT], weights[COUNT];  // a thread's, as far as registers keep them

  __device__ __forceinline__ SharedFloats(char *memory, int k)
      : first((float4 *)memory), last(first + k / 8) {}

  __device__ __forceinline__ void put(int i, float4 v) { (i & 1 ? last : first)[i >> 1] = v; }

  // Calls with what a thread keeps and where that belongs.
  template <typename Each>
  __device__ __forceinline__ void kept(int n, Each each) {
#pragma unroll
    for (int j = 0; j < COUNT; j++) {
      int i = threadIdx.x + j * blockDim.x;
      if (i < n) each(i, values[j], weights[j]);
    }
  }

  // Reads what no kernel ahead writes.
  __device__ __forceinline__ void expect(const Source &s, int k) {
    if (!s.x) return;
    kept(k / 4, [&](int i, float4 &, float4 &w) { w = ((const float4 *)s.weight)[i]; });
  }

  __device__ __forceinline__ void bring(const Source &s, const char *from, int k) {
    int n = k / 4, rest = threadIdx.x + COUNT * blockDim.x;
    auto input = [&](int i) {
      float4 v = __ldcg((const float4 *)(s.x ? (const char *)s.x : from) + i);
      return s.other ? plus(v, __ldcg((const float4 *)s.other + i)) : v;
    };
    kept(n, [&](int i, float4 &v, float4 &) { v = input(i); });
    if (!s.x) {
      kept(n, [&](int i, float4 &v, float4 &) { put(i, v); });
#pragma unroll 4
      for (int i = rest; i < n; i += blockDim.x) put(i, input(i));
      return;
    }
    float squared = 0;
    auto take = [&](int i, float4 v) {
      if (s.sum && blockIdx.x == 0) ((float4 *)s.sum)[i] = v;
      squared += squares(v);
    };
    kept(n, [&](int i, float4 &v, float4 &) { take(i, v); });
    for (int i = rest; i < n; i += blockDim.x) take(i, input(i));
    float scale = 1.0f / sqrtf(blockReduce<false>(squared) / k + s.eps);
    kept(n, [&](int i, float4 &v, float4 &w) { put(i, scaled(v, scale, w)); });
    for (int i = rest; i < n; i += blockDim.x) {
      put(i, scaled(input(i), scale, ((const float4 *)s.weight)[i]));
    }
  }
};

__device__ __forceinline__ float dot8(const float *v, float4 a, float4 b, float sum) {
  sum += v[0] * a.x;
  sum += v[1] * a.y;
  sum += v[2] * a.z;
  sum += v[3] * a.w;
  sum += v[4] * b.x;
  sum += v[5] * b.y;
  sum += v[6] * b.z;
  return sum + v[7] * b.w;
}

template <int TYPE>
struct TakeFloats {
  typedef SharedFloats X;
  static __device__ __forceinline__ void add(const X &x, int, const uint8_t *a, const uint8_t *b,
                                             int e, int n, float *sums) {
#pragma unroll 4
    for (int g = threadIdx.x & 31; g < n >> 3; g += 32) {
      float v[8], w[8];
      float4 first = x.first[(e >> 3) + g], last = x.last[(e >> 3) + g];
      decode8<TYPE>((const char *)a, g, v);
      decode8<TYPE>((const char *)b, g, w);
      sums[0] = dot8(v, first, last, sums[0]);
      sums[1] = dot8(w, first, last, sums[1]);
    }
  }
};
