// SPDX-License-Identifier: Apache-2.0
// What attention over a cache is given, and what its kernels share; see AttentionKernels.java.
#pragma once
#include "activations.cuh"

struct Attention {
  Tensor q;
  Tensor k;
  Tensor v;
  float *result;
  float *parts;  // for each query, head and split: a sum of values, the maximum, the denominator
  const char *queries;
  const char *cells;
  const int *live;
  const float *sinks;  // or null
  int64_t queryStep;
  int64_t cellStep;
  int queryNext;  // from position to sequences, in bytes
  int cellNext;
  float scale;
  float softcap;
  int window;
  int splits;
  int typeK;
  int typeV;
  unsigned *counters;  // zeros; one for each query and group of heads
  char *form;          // Quants of the result, or null
};

__device__ __noinline__ float capped(float x, float cap) { return cap * tanhf(x / cap); }

__device__ __forceinline__ float finish(const Attention &a, int h, float &m, float l) {
  if (a.sinks) {
    float top = fmaxf(m, a.sinks[h]);
    float scale = expf(m - top);
    l = l * scale + expf(a.sinks[h] - top);
    return l > 0 ? scale / l : 0;
  }
  return l > 0 ? 1 / l : 0;
}

__device__ __forceinline__ unsigned packHalf(float a, float b) {
  __half2 h = __floats2half2_rn(a, b);
  return *(unsigned *)&h;
}
