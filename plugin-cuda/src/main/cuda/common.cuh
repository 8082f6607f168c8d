// SPDX-License-Identifier: Apache-2.0
// What all kernels share: tensor descriptors as the host writes them, types, reductions.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>
#include "device.cuh"

// The host's numbers for data types; see KernelType.java.
enum Type {
  F32,
  F16,
  BF16,
  Q8_0,
  Q4_0,
  Q4_1,
  Q5_0,
  Q5_1,
  Q4_K,
  Q5_K,
  Q6_K,
  Q2_K,
  Q3_K,
  IQ4_NL,
  IQ4_XS,
  MXFP4
};

struct Tensor {
  char *p;
  int ne[4];
  int64_t nb[4];
};

__device__ __forceinline__ int64_t at(const Tensor &t, int64_t i0, int64_t i1, int64_t i2,
                                      int64_t i3) {
  return i0 * t.nb[0] + i1 * t.nb[1] + i2 * t.nb[2] + i3 * t.nb[3];
}

__device__ __forceinline__ float loadFloat(const char *p, int type) {
  switch (type) {
    case F32:
      return *(const float *)p;
    case F16:
      return __half2float(*(const __half *)p);
    default:
      return __uint_as_float((unsigned)*(const uint16_t *)p << 16);
  }
}

__device__ __forceinline__ void storeFloat(char *p, int type, float x) {
  switch (type) {
    case F32:
      *(float *)p = x;
      break;
    case F16:
      *(__half *)p = __float2half_rn(x);
      break;
    default:
      *(__nv_bfloat16 *)p = __float2bfloat16_rn(x);
  }
}

__device__ __forceinline__ float warpSum(float x) {
  for (int o = 16; o > 0; o >>= 1) x += __shfl_xor_sync(~0u, x, o);
  return x;
}

__device__ __forceinline__ float warpMax(float x) {
  for (int o = 16; o > 0; o >>= 1) x = fmaxf(x, __shfl_xor_sync(~0u, x, o));
  return x;
}

// Over a block of up to 1024 threads; every thread gets the result.
template <bool MAX>
__device__ __forceinline__ float blockReduce(float x) {
  __shared__ float part[32];
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  x = MAX ? warpMax(x) : warpSum(x);
  __syncthreads();
  if (lane == 0) part[warp] = x;
  __syncthreads();
  x = lane < warps ? part[lane] : (MAX ? -INFINITY : 0.0f);
  return MAX ? warpMax(x) : warpSum(x);
}
