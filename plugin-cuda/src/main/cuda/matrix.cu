// SPDX-License-Identifier: Apache-2.0
// Matrix products with many columns on tensor cores. Quantised weights are decoded first, a part at a
// time, to F16 or BF16.
#include "product.cuh"
#include "tiles.cuh"

// F32: tiles of 64 rows and 64 columns, four warps of 32 by 32 each, 32 of axis 0 at a time, in TF32.
// Both sides are taken in two parts, so that nothing is lost.
extern "C" __global__ void __launch_bounds__(128) mat_mul_f32(Product p) {
  awaitPrevious();
  const int SPAN = 32, ROW = SPAN + 4;
  __shared__ float ws[64][ROW];
  __shared__ float xs[64][ROW];
  int thread = threadIdx.x, lane = thread & 31, warp = thread >> 5;
  int m0 = blockIdx.x * 64, n0 = blockIdx.y * 64;
  int i2 = blockIdx.z % p.x.ne[2], i3 = blockIdx.z / p.x.ne[2];
  const char *w = p.w.p + i2 / p.repeat2 * p.w.nb[2] + i3 / p.repeat3 * p.w.nb[3];
  const char *x = p.x.p + at(p.x, 0, 0, i2, i3);
  int rows = p.w.ne[1], groups = p.w.ne[0] >> 3;
  int wm = warp >> 1 << 5, wn = (warp & 1) << 5, lg = lane >> 2, lt = lane & 3;
  float c[2][4][4] = {};
  for (int g0 = 0; g0 < groups; g0 += 4) {
    for (int j = 0; j < 2; j++) {
      int row = (thread >> 2) + 32 * j, g = g0 + (thread & 3), col = 8 * (thread & 3);
      float v[8] = {};
      if (m0 + row < rows && g < groups) decode8<F32>(w + (m0 + row) * p.w.nb[1], g, v);
      *(float4 *)&ws[row][col] = make_float4(v[0], v[1], v[2], v[3]);
      *(float4 *)&ws[row][col + 4] = make_float4(v[4], v[5], v[6], v[7]);
      float4 a = make_float4(0, 0, 0, 0), b = a;
      if (n0 + row < p.columns && g < groups) {
        const float4 *from = (const float4 *)(x + (n0 + row) * p.x.nb[1]) + 2 * g;
        a = from[0];
        b = from[1];
      }
      *(float4 *)&xs[row][col] = a;
      *(float4 *)&xs[row][col + 4] = b;
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < SPAN; k += 8) {
      unsigned a[2][4], al[2][4], b[4][2], bl[4][2];
#pragma unroll
      for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
          float v = ws[wm + 16 * i + lg + 8 * (e & 1)][k + lt + 4 * (e >> 1)];
          a[i][e] = tf32(v);
          al[i][e] = tf32(v - __uint_as_float(a[i][e]));
        }
      }
#pragma unroll
      for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int e = 0; e < 2; e++) {
          float v = xs[wn + 8 * i + lg][k + lt + 4 * e];
          b[i][e] = tf32(v);
          bl[i][e] = tf32(v - __uint_as_float(b[i][e]));
        }
      }
#pragma unroll
      for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
          mmaTf32(c[i][j], al[i], b[j]);
          mmaTf32(c[i][j], a[i], bl[j]);
          mmaTf32(c[i][j], a[i], b[j]);
        }
      }
    }
    __syncthreads();
  }
  float *out = p.result + (int64_t)blockIdx.z * p.columns * rows;
#pragma unroll
  for (int i = 0; i < 2; i++) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        int m = m0 + wm + 16 * i + lg + 8 * (e >> 1), n = n0 + wn + 8 * j + 2 * lt + (e & 1);
        if (m < rows && n < p.columns) out[(int64_t)n * rows + m] = c[i][j][e];
      }
    }
  }
}

struct Decode {
  const char *w;
  char *result;  // [rows, k] of 16 bits
  int64_t rowBytes;
  int64_t count;  // groups of 8
  int groups;     // of a row
};

template <int TYPE>
__device__ __forceinline__ void decode(const Decode &d) {
  releaseNext();
  awaitPrevious();
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= d.count) return;
  float v[8];
  decode8<TYPE>(d.w + i / d.groups * d.rowBytes, i % d.groups, v);
  unsigned u[4];
#pragma unroll
  for (int j = 0; j < 4; j++) {
    // MXFP4 has BF16's range.
    if (TYPE == MXFP4) {
      __nv_bfloat162 pair = __floats2bfloat162_rn(v[2 * j], v[2 * j + 1]);
      u[j] = *(unsigned *)&pair;
    } else {
      __half2 pair = __floats2half2_rn(v[2 * j], v[2 * j + 1]);
      u[j] = *(unsigned *)&pair;
    }
  }
  ((uint4 *)d.result)[i] = make_uint4(u[0], u[1], u[2], u[3]);
}

#define DECODE(name, TYPE)                                                     \
  extern "C" __global__ void __launch_bounds__(256) decode_##name(Decode d) { \
    decode<TYPE>(d);                                                           \
  }
FOR_QUANTIZED(DECODE)

struct Tiles {
  const char *w[MOST_WEIGHTS];
  int64_t rowBytes[MOST_WEIGHTS];
  TileResults results;
  const char *x;
};

// Tiles of 128 rows and 128 columns, a warp 64 by 32. While a span of axis 0 is multiplied the next
// one comes in.
template <bool BRAIN>
__device__ __forceinline__ void tiles(const Tiles &p) {
  const int SPAN = 32, ROW = SPAN + 8;
  __shared__ __align__(16) __half ws[2][128][ROW];
  __shared__ __align__(16) __half xs[2][128][ROW];
  releaseNext();
  awaitPrevious();
  const TileResults &r = p.results;
  int thread = threadIdx.x, lane = thread & 31, warp = thread >> 5, segment = 0;
  while (segment + 1 < r.count && (int)blockIdx.y >= r.first[segment + 1]) segment++;
  int m0 = (blockIdx.y - r.first[segment]) * 128, n0 = blockIdx.x * 128, rows = r.rows[segment];
  int groups = r.k >> 3, spans = (groups + 3) >> 2;
  auto fetch = [&](int span, int stage) {
#pragma unroll
    for (int j = 0; j < 2; j++) {
      int row = (thread >> 2) + 64 * j, part = thread & 3, g = 4 * span + part;
      int in = g < groups;
      const char *w = p.w[segment] + min(m0 + row, rows - 1) * p.rowBytes[segment];
      const char *x = p.x + (int64_t)min(n0 + row, r.columns - 1) * r.k * 2;
      copyAsync(&ws[stage][row][8 * part], w + 16 * (in ? g : 0), in && m0 + row < rows ? 16 : 0);
      copyAsync(&xs[stage][row][8 * part], x + 16 * (in ? g : 0),
                in && n0 + row < r.columns ? 16 : 0);
    }
    commitCopies();
  };
  int wm = warp >> 2 << 6, wn = (warp & 3) << 5;
  float c[4][4][4] = {};
  if (spans > 0) fetch(0, 0);
  for (int span = 0; span < spans; span++) {
    int stage = span & 1;
    if (span + 1 < spans) {
      fetch(span + 1, stage ^ 1);
      awaitCopies<1>();
    } else {
      awaitCopies<0>();
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < SPAN; k += 16) {
      unsigned a[4][4], b[2][4];
#pragma unroll
      for (int i = 0; i < 4; i++) {
        loadMatrices(a[i], &ws[stage][wm + 16 * i + (lane & 15)][k + (lane >> 4 << 3)]);
      }
#pragma unroll
      for (int j = 0; j < 2; j++) {
        loadMatrices(b[j], &xs[stage][wn + 16 * j + (lane & 7) + (lane >> 4 << 3)]
                              [k + ((lane >> 3 & 1) << 3)]);
      }
#pragma unroll
      for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
          if (BRAIN) {
            mmaBf16(c[i][j], a[i], &b[j >> 1][2 * (j & 1)]);
          } else {
            mmaF16(c[i][j], a[i], &b[j >> 1][2 * (j & 1)]);
          }
        }
      }
    }
    __syncthreads();
  }
  int lg = lane >> 2, lt = lane & 3;
#pragma unroll
  for (int i = 0; i < 4; i++) {
#pragma unroll
    for (int e = 0; e < 4; e++) {
      int m = m0 + wm + 16 * i + lg + 8 * (e >> 1);
#pragma unroll
      for (int j = 0; j < 4; j++) r.put(segment, m, n0 + wn + 8 * j + 2 * lt + (e & 1), c[i][j][e]);
    }
  }
}

extern "C" __global__ void __launch_bounds__(256, 2) mat_mul_f16(Tiles p) { tiles<false>(p); }
extern "C" __global__ void __launch_bounds__(256, 2) mat_mul_bf16(Tiles p) { tiles<true>(p); }
