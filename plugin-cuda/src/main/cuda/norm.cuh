// SPDX-License-Identifier: Apache-2.0
// The norm of a row by its block, with what comes before and after it.
#pragma once
#include "activations.cuh"

__device__ __forceinline__ float squares(float4 v) {
  return v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
}

__device__ __forceinline__ float4 plus(float4 a, float4 b) {
  return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

// A thread's part of a row, as far as it fits into registers.
template <int N>
struct KeptOf {
  static const int COUNT = N;
  float4 values[COUNT];

  __device__ __forceinline__ void put(int step, float4 v) {
#pragma unroll
    for (int j = 0; j < COUNT; j++) {
      if (j == step) values[j] = v;
    }
  }
  __device__ __forceinline__ float4 get(int step) const {
    float4 v = values[0];
#pragma unroll
    for (int j = 1; j < COUNT; j++) {
      if (j == step) v = values[j];
    }
    return v;
  }
};
typedef KeptOf<4> Kept;

struct Norm {
  const float *x;
  const float *other;   // added to x first, or null
  float *sum;           // where x + other goes, or null
  const float *weight;  // or null
  float *result;
  char *form;  // the result as products want it, or null
  int64_t rows;
  int n;
  int kind;
  float eps;

  __device__ __forceinline__ float4 input(int64_t at, int i) const {
    float4 v = __ldcg((const float4 *)(x + at) + i);
    return other ? plus(v, __ldcg((const float4 *)(other + at) + i)) : v;
  }

  __device__ __forceinline__ float4 factors(int i) const {
    return weight ? ((const float4 *)weight)[i] : make_float4(1, 1, 1, 1);
  }

  // A thread's part of the weight, which no kernel writes: it may come before awaitPrevious().
  template <int N, typename Threads>
  __device__ __forceinline__ KeptOf<N> early(const Threads &threads) const {
    KeptOf<N> kept;
    int step = 0;
    for (int i = threads.first(); i < n / 4 && step < N; i += threads.count(), step++) {
      kept.put(step, factors(i));
    }
    return kept;
  }

  // From each thread's sum of squares on; the threads are a block's or a cluster's.
  template <int N, int M, typename Threads>
  __device__ __forceinline__ void finish(int64_t at, float squares, const KeptOf<N> &kept,
                                         const KeptOf<M> &weights, const Threads &threads) const {
    float scale = 1.0f / sqrtf(threads.sum(squares) / n + eps), most = 0;
    Form formed(form, kind, rows * n, n);
    int step = 0;
    for (int i = threads.first(); i < n / 4; i += threads.count(), step++) {
      float4 v = step < N ? kept.get(step) : input(at, i);
      float4 w = step < M ? weights.get(step) : factors(i);
      v = make_float4(v.x * scale * w.x, v.y * scale * w.y, v.z * scale * w.z, v.w * scale * w.w);
      ((float4 *)(result + at))[i] = v;
      if (kind == QUANTS) formed.quantize(at / 4 + i, v);
      most = fmaxf(most, largest(v));
    }
    if (kind == HALVES || kind == BRAINS) {
      const float4 *values = (const float4 *)(result + at);
      formed.part(at / n, threads.largest(most), threads.first(), threads.count(),
                  [&](int i) { return values[i]; });
    }
  }
};

// A block has a row.
struct OneBlock {
  __device__ __forceinline__ int first() const { return threadIdx.x; }
  __device__ __forceinline__ int count() const { return blockDim.x; }
  __device__ __forceinline__ float sum(float x) const { return blockReduce<false>(x); }
  __device__ __forceinline__ float largest(float x) const { return blockReduce<true>(x); }
};
