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

  __device__ __forceinline__ float4 &place(int i) const { return (i & 1 ? last : first)[i >> 1]; }

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

  template <bool SUMMED>
  __device__ __forceinline__ void bring(const Ring &p) {
    if (SUMMED) {
      receive(p);
    } else if (!p.source.x) {
      copy((const float4 *)p.ready, p.k / 4);
    } else {
      make(p.source, p.k);
    }
  }

 private:
  __device__ __forceinline__ void copy(const float4 *from, int n) {
    kept(n, [&](int i, float4 &v, float4 &) { v = __ldcg(from + i); });
    kept(n, [&](int i, float4 &v, float4 &) { place(i) = v; });
#pragma unroll 4
    for (int i = threadIdx.x + COUNT * blockDim.x; i < n; i += blockDim.x) place(i) = __ldcg(from + i);
  }

  __device__ __forceinline__ static float scale(const Source &s, float squared, int k) {
    return 1.0f / sqrtf(blockReduce<false>(squared) / k + s.eps);
  }

  __device__ __forceinline__ void make(const Source &s, int k) {
    int n = k / 4, rest = threadIdx.x + COUNT * blockDim.x;
    auto input = [&](int i) {
      float4 v = __ldcg((const float4 *)s.x + i);
      return s.other ? plus(v, __ldcg((const float4 *)s.other + i)) : v;
    };
    kept(n, [&](int i, float4 &v, float4 &) { v = input(i); });
    float squared = 0;
    auto take = [&](int i, float4 v) {
      if (s.sum && blockIdx.x == 0) ((float4 *)s.sum)[i] = v;
      squared += squares(v);
    };
    kept(n, [&](int i, float4 &v, float4 &) { take(i, v); });
    for (int i = rest; i < n; i += blockDim.x) take(i, input(i));
    float factor = scale(s, squared, k);
    kept(n, [&](int i, float4 &v, float4 &w) { place(i) = scaled(v, factor, w); });
    for (int i = rest; i < n; i += blockDim.x) {
      place(i) = scaled(input(i), factor, ((const float4 *)s.weight)[i]);
    }
  }

  // What is added is the sum over the members of what each has sent; sums wait in shared memory, because
  // registers would be missing beside. When a member does not come, the error is where the host reads
  // it, and what is made here counts no more.
  __device__ __forceinline__ void receive(const Ring &p) {
    const Source &s = p.source;
    const Reduce &r = p.reduce;
    const State *state = r.states[r.rank];
    Mail mail(r, state->next());
    Patience patience(r);
    bool good = state->failed == 0;
    float squared = 0;
#pragma unroll 1
    for (int i = threadIdx.x; i < p.k / 4; i += blockDim.x) {
      float4 v = __ldcg((const float4 *)s.x + i);
      uint2 none[2] = {make_uint2(0, 0), make_uint2(0, 0)};
      float sum[4] = {0, 0, 0, 0};
      good = good && gather<false, 2>(r, mail, 2 * i, none, patience, sum);
      v = plus(v, make_float4(sum[0], sum[1], sum[2], sum[3]));
      if (s.sum && blockIdx.x == 0) ((float4 *)s.sum)[i] = v;
      place(i) = v;
      squared += squares(v);
    }
    float factor = scale(s, squared, p.k);
#pragma unroll
    for (int j = 0; j < COUNT; j++) {
      int i = threadIdx.x + j * blockDim.x;
      if (i < p.k / 4) place(i) = scaled(place(i), factor, weights[j]);
    }
#pragma unroll 1
    for (int i = threadIdx.x + COUNT * blockDim.x; i < p.k / 4; i += blockDim.x) {
      place(i) = scaled(place(i), factor, ((const float4 *)s.weight)[i]);
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
