// SPDX-License-Identifier: Apache-2.0
// Activations in the form that a product takes them in, beside or instead of F32.
#pragma once
#include "common.cuh"

// Numbers of the forms; see Form.java.
enum Kind { NONE, QUANTS, HALVES, BRAINS };

// Eight bits an element; 32 elements share a scale. For weights with minima there are the sums of 16
// elements, scaled.
struct Quants {
  const int8_t *q;
  const float *scale;
  const float *sum;
  __device__ __forceinline__ Quants(const char *p, int64_t elements)
      : q((const int8_t *)p),
        scale((const float *)(p + elements)),
        sum((const float *)(p + elements + elements / 8)) {}
};

__device__ __forceinline__ float largest(float4 v) {
  return fmaxf(fmaxf(fabsf(v.x), fabsf(v.y)), fmaxf(fabsf(v.z), fabsf(v.w)));
}

// Where a tensor's form is written. Halves: all rows, then the factor of each row that brings its
// values back, a power of two, so that none leaves F16's range.
struct Form {
  char *p;
  int kind;
  int64_t elements;
  int n;

  __device__ __forceinline__ Form(char *place, int kindOf, int64_t count, int row)
      : p(place), kind(kindOf), elements(count), n(row) {}

  // Four elements; eight neighbouring threads have 32 of them.
  __device__ __forceinline__ void quantize(int64_t i, float4 v) {
    unsigned mask = 0xffu << (threadIdx.x & 24);
    float most = largest(v);
    for (int o = 4; o > 0; o >>= 1) most = fmaxf(most, __shfl_xor_sync(mask, most, o));
    float scale = most / 127, inverse = most > 0 ? 127 / most : 0;
    int a = __float2int_rn(v.x * inverse), b = __float2int_rn(v.y * inverse);
    int c = __float2int_rn(v.z * inverse), d = __float2int_rn(v.w * inverse);
    ((char4 *)p)[i] = make_char4(a, b, c, d);
    int sum = a + b + c + d;
    sum += __shfl_xor_sync(mask, sum, 1);
    sum += __shfl_xor_sync(mask, sum, 2);
    if ((i & 7) == 0) ((float *)(p + elements))[i >> 3] = scale;
    if ((i & 3) == 0) ((float *)(p + elements + elements / 8))[i >> 2] = sum * scale;
  }

  // A row by its block; every thread brings the largest value that it saw.
  template <typename Values>
  __device__ __forceinline__ void row(int64_t row, float most, Values values) {
    part(row, blockReduce<true>(most), threadIdx.x, blockDim.x, values);
  }

  // What a thread has of a row, whose largest value it knows: from its first four elements on, in
  // steps.
  template <typename Values>
  __device__ __forceinline__ void part(int64_t row, float most, int first, int step,
                                       Values values) {
    float factor = 1;
    while (kind == HALVES && most * factor > 32768 && factor > 1e-30f) factor *= 0.5f;
    if (first == 0) ((float *)(p + 2 * elements))[row] = 1 / factor;
    uint2 *out = (uint2 *)(p + 2 * row * n);
    for (int i = first; i < n / 4; i += step) {
      float4 v = values(i);
      if (kind == HALVES) {
        __half2 a = __floats2half2_rn(v.x * factor, v.y * factor);
        __half2 b = __floats2half2_rn(v.z * factor, v.w * factor);
        out[i] = make_uint2(*(unsigned *)&a, *(unsigned *)&b);
      } else {
        __nv_bfloat162 a = __floats2bfloat162_rn(v.x, v.y), b = __floats2bfloat162_rn(v.z, v.w);
        out[i] = make_uint2(*(unsigned *)&a, *(unsigned *)&b);
      }
    }
  }
};
