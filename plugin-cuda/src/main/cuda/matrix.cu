// SPDX-License-Identifier: Apache-2.0
// Matrix products with few columns (a warp a row), with many (tensor cores), and of any strides.
#include "decode.cuh"

struct Product {
  Tensor w;
  Tensor x;
  float *result;
  const char *ids;  // of experts, or null
  int64_t idStep0;
  int64_t idStep1;
  int used;     // experts a token
  int columns;  // of the result
  int repeat2;  // x has so many times w's extent on axis 2
  int repeat3;
  int type;
  // Further weights of the same type and axis 0, without batches, by the same activations.
  int others;
  int otherRows[3];
  char *otherW[3];
  float *otherResult[3];
};

// Rows are loaded from 16-byte aligned addresses: w's for floats, x's always.
template <int TYPE, int N>
__device__ __forceinline__ void vectorProduct(const Product &p) {
  int lane = threadIdx.x & 31, warps = blockDim.x >> 5, block = blockIdx.x;
  int rows = p.w.ne[1];
  const char *weights = p.w.p;
  float *result = p.result;
  for (int i = 0; i < p.others && block >= (rows + warps - 1) / warps; i++) {
    block -= (rows + warps - 1) / warps;
    rows = p.otherRows[i];
    weights = p.otherW[i];
    result = p.otherResult[i];
  }
  int m = block * warps + (threadIdx.x >> 5);
  if (m >= rows) return;
  const char *w = weights + m * p.w.nb[1];
  const char *x[N];
  float *out;
  int columns = N;
  if (p.ids) {
    int u = blockIdx.y % p.used, t = blockIdx.y / p.used;
    int id = *(const int *)(p.ids + u * p.idStep0 + t * p.idStep1);
    out = result + (int64_t)blockIdx.y * rows + m;
    if (id < 0 || id >= p.w.ne[2]) {
      if (lane == 0) *out = 0;
      return;
    }
    w += id * p.w.nb[2];
    x[0] = p.x.p + at(p.x, 0, p.x.ne[1] == 1 ? 0 : u, t, 0);
  } else {
    int i2 = blockIdx.z % p.x.ne[2], i3 = blockIdx.z / p.x.ne[2], n = blockIdx.y * N;
    w += i2 / p.repeat2 * p.w.nb[2] + i3 / p.repeat3 * p.w.nb[3];
    columns = min(N, p.columns - n);
    out = result + ((int64_t)blockIdx.z * p.columns + n) * rows + m;
#pragma unroll
    for (int j = 0; j < N; j++) x[j] = p.x.p + at(p.x, 0, n + min(j, columns - 1), i2, i3);
  }
  float sum[N];
#pragma unroll
  for (int j = 0; j < N; j++) sum[j] = 0;
  int groups = p.w.ne[0] >> 3;
#pragma unroll 4
  for (int g = lane; g < groups; g += 32) {
    float v[8];
    decode8<TYPE>(w, g, v);
#pragma unroll
    for (int j = 0; j < N; j++) {
      float4 a = ((const float4 *)x[j])[2 * g], b = ((const float4 *)x[j])[2 * g + 1];
      sum[j] += v[0] * a.x + v[1] * a.y + v[2] * a.z + v[3] * a.w + v[4] * b.x + v[5] * b.y +
                v[6] * b.z + v[7] * b.w;
    }
  }
#pragma unroll
  for (int j = 0; j < N; j++) {
    float s = warpSum(sum[j]);
    if (lane == 0 && j < columns) out[(int64_t)j * rows] = s;
  }
}

__device__ __forceinline__ unsigned tf32(float x) {
  unsigned r;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(x));
  return r;
}

__device__ __forceinline__ void mma(float *c, const unsigned *a, const unsigned *b) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Tiles of 64 rows and 64 columns, four warps of 32 by 32 each, 32 of axis 0 at a time, in TF32.
// Quantised weights take their activations rounded. F16 and BF16 weights, which TF32 holds, take
// them in two parts; F32 weights are taken in two parts too, so that nothing is lost.
template <int TYPE>
__device__ __forceinline__ void tileProduct(const Product &p) {
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
      if (m0 + row < rows && g < groups) decode8<TYPE>(w + (m0 + row) * p.w.nb[1], g, v);
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
          if (TYPE == F32) al[i][e] = tf32(v - __uint_as_float(a[i][e]));
        }
      }
#pragma unroll
      for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int e = 0; e < 2; e++) {
          float v = xs[wn + 8 * i + lg][k + lt + 4 * e];
          b[i][e] = tf32(v);
          if (TYPE <= BF16) bl[i][e] = tf32(v - __uint_as_float(b[i][e]));
        }
      }
#pragma unroll
      for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
          if (TYPE == F32) mma(c[i][j], al[i], b[j]);
          if (TYPE <= BF16) mma(c[i][j], a[i], bl[j]);
          mma(c[i][j], a[i], b[j]);
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

__device__ __forceinline__ uint4 packBf16(const float *v) {
  unsigned u[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    __nv_bfloat162 pair = __floats2bfloat162_rn(v[2 * i], v[2 * i + 1]);
    u[i] = *(unsigned *)&pair;
  }
  return make_uint4(u[0], u[1], u[2], u[3]);
}

__device__ __forceinline__ void loadMatrices(unsigned *r, const void *p) {
  unsigned address = (unsigned)__cvta_generic_to_shared(p);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address));
}

__device__ __forceinline__ void mmaBf16(float *c, const unsigned *a, const unsigned *b) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
      "{%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Tiles of 128 or 64 rows and 128 columns, a warp a half by a quarter, weights and activations in
// BF16. While a span of axis 0 is multiplied the next one is decoded.
template <int TYPE, int ROWS>
__device__ __forceinline__ void largeTileProduct(const Product &p) {
  const int SPAN = 32, ROW = SPAN + 8, LOADS = ROWS / 64, STEPS = ROWS / 32;
  __shared__ __align__(16) __nv_bfloat16 ws[2][ROWS][ROW];
  __shared__ __align__(16) __nv_bfloat16 xs[2][128][ROW];
  int thread = threadIdx.x, lane = thread & 31, warp = thread >> 5;
  int m0 = blockIdx.x * ROWS, n0 = blockIdx.y * 128;
  int i2 = blockIdx.z % p.x.ne[2], i3 = blockIdx.z / p.x.ne[2];
  int rows = p.w.ne[1], spans = p.w.ne[0] / SPAN;
  int part = thread & 3, row = thread >> 2;
  const char *w[LOADS], *x[2];
#pragma unroll
  for (int j = 0; j < LOADS; j++) {
    w[j] = p.w.p + i2 / p.repeat2 * p.w.nb[2] + i3 / p.repeat3 * p.w.nb[3] +
           min(m0 + row + 64 * j, rows - 1) * p.w.nb[1];
  }
#pragma unroll
  for (int j = 0; j < 2; j++) {
    x[j] = p.x.p + at(p.x, 0, min(n0 + row + 64 * j, p.columns - 1), i2, i3);
  }
  int wm = (warp >> 2) * (ROWS / 2), wn = (warp & 3) << 5;
  float c[STEPS][4][4] = {};
  uint4 nextW[LOADS], nextX[2];
  auto fetch = [&](int span) {
    int g = 4 * span + part;
#pragma unroll
    for (int j = 0; j < LOADS; j++) {
      float v[8];
      decode8<TYPE>(w[j], g, v);
      nextW[j] = packBf16(v);
    }
#pragma unroll
    for (int j = 0; j < 2; j++) {
      float v[8];
      decode8<F32>(x[j], g, v);
      nextX[j] = packBf16(v);
    }
  };
  auto keep = [&](int stage) {
#pragma unroll
    for (int j = 0; j < LOADS; j++) *(uint4 *)&ws[stage][row + 64 * j][8 * part] = nextW[j];
#pragma unroll
    for (int j = 0; j < 2; j++) {
      *(uint4 *)&xs[stage][row + 64 * j][8 * part] = nextX[j];
    }
  };
  if (spans > 0) {
    fetch(0);
    keep(0);
  }
  __syncthreads();
  for (int span = 0; span < spans; span++) {
    int stage = span & 1;
    if (span + 1 < spans) fetch(span + 1);
#pragma unroll
    for (int k = 0; k < SPAN; k += 16) {
      unsigned a[STEPS][4], b[2][4];
#pragma unroll
      for (int i = 0; i < STEPS; i++) {
        loadMatrices(a[i], &ws[stage][wm + 16 * i + (lane & 15)][k + (lane >> 4 << 3)]);
      }
#pragma unroll
      for (int j = 0; j < 2; j++) {
        loadMatrices(b[j], &xs[stage][wn + 16 * j + (lane & 7) + (lane >> 4 << 3)]
                              [k + ((lane >> 3 & 1) << 3)]);
      }
#pragma unroll
      for (int i = 0; i < STEPS; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) mmaBf16(c[i][j], a[i], &b[j >> 1][2 * (j & 1)]);
      }
    }
    if (span + 1 < spans) keep(stage ^ 1);
    __syncthreads();
  }
  int lg = lane >> 2, lt = lane & 3;
  float *out = p.result + (int64_t)blockIdx.z * p.columns * rows;
#pragma unroll
  for (int i = 0; i < STEPS; i++) {
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

#define PRODUCTS(name, TYPE)                                                                     \
  extern "C" __global__ void __launch_bounds__(128) mat_vec_##name(Product p) {                  \
    vectorProduct<TYPE, 1>(p);                                                                   \
  }                                                                                              \
  extern "C" __global__ void __launch_bounds__(128) mat_vec4_##name(Product p) {                 \
    vectorProduct<TYPE, 4>(p);                                                                   \
  }                                                                                              \
  extern "C" __global__ void __launch_bounds__(128) mat_mul_##name(Product p) {                  \
    tileProduct<TYPE>(p);                                                                        \
  }
FOR_TYPES(PRODUCTS)

#define LARGE_PRODUCTS(name, TYPE)                                                     \
  extern "C" __global__ void __launch_bounds__(256, 2) mat_mul_large_##name(Product p) { \
    largeTileProduct<TYPE, 128>(p);                                                    \
  }                                                                                    \
  extern "C" __global__ void __launch_bounds__(256, 2) mat_mul_half_##name(Product p) {  \
    largeTileProduct<TYPE, 64>(p);                                                     \
  }
FOR_QUANTIZED(LARGE_PRODUCTS)

// Activations in eight bits, for products with quantised weights: 32 elements share a scale.
struct Quants {
  const int8_t *q;
  const float *scale;  // of 32 elements
  const float *sum;    // of 16 elements, scaled
};

// Quantises a row of x into shared memory; every thread of the block takes part.
__device__ __forceinline__ Quants quantize(const float *x, int k, char *shared) {
  int8_t *q = (int8_t *)shared;
  float *scales = (float *)(shared + k), *sums = scales + k / 32;
  for (int i = threadIdx.x; i < k / 4; i += blockDim.x) {
    float4 v = ((const float4 *)x)[i];
    float most = fmaxf(fmaxf(fabsf(v.x), fabsf(v.y)), fmaxf(fabsf(v.z), fabsf(v.w)));
    // Eight neighbouring threads have the same 32 elements.
    unsigned mask = 0xffu << (threadIdx.x & 24);
    for (int o = 4; o > 0; o >>= 1) most = fmaxf(most, __shfl_xor_sync(mask, most, o));
    float scale = most / 127, inverse = most > 0 ? 127 / most : 0;
    int a = __float2int_rn(v.x * inverse), b = __float2int_rn(v.y * inverse);
    int c = __float2int_rn(v.z * inverse), d = __float2int_rn(v.w * inverse);
    ((char4 *)q)[i] = make_char4(a, b, c, d);
    int sum = a + b + c + d;
    sum += __shfl_xor_sync(mask, sum, 1);
    sum += __shfl_xor_sync(mask, sum, 2);
    if ((i & 7) == 0) scales[i >> 3] = scale;
    if ((i & 3) == 0) sums[i >> 2] = sum * scale;
  }
  __syncthreads();
  return {q, scales, sums};
}

__device__ __forceinline__ int dot16(uint4 w, const int8_t *q) {
  int4 x = *(const int4 *)q;
  return __dp4a((int)w.x, x.x, __dp4a((int)w.y, x.y, __dp4a((int)w.z, x.z, __dp4a((int)w.w, x.w, 0))));
}

__device__ __forceinline__ int dot8(uint2 w, const int8_t *q, int sum) {
  int2 x = *(const int2 *)q;
  return __dp4a((int)w.x, x.x, __dp4a((int)w.y, x.y, sum));
}

// How many pieces a block has, one a thread.
template <int TYPE>
struct Pieces {
  static const int elements = TYPE == Q4_K || TYPE == Q5_K || TYPE == Q6_K ? 256 : 32;
  static const int count = TYPE == Q4_K || TYPE == Q5_K ? 8 : TYPE == Q6_K ? 16 : TYPE == Q4_0 ? 2 : 4;
};

template <int TYPE>
__device__ __forceinline__ float pieceDot(const uint8_t *b, int block, int piece, const Quants &x) {
  if (TYPE == Q4_K || TYPE == Q5_K) {
    uint4 head = *(const uint4 *)b;
    int pair = piece >> 1, i0 = 16 * (piece & 1), at = 256 * block + 64 * pair + i0;
    uint4 w = *(const uint4 *)(b + (TYPE == Q4_K ? 16 : 48) + 32 * pair + i0);
    uint4 low = make_uint4(w.x & 0x0f0f0f0f, w.y & 0x0f0f0f0f, w.z & 0x0f0f0f0f, w.w & 0x0f0f0f0f);
    uint4 high = make_uint4(w.x >> 4 & 0x0f0f0f0f, w.y >> 4 & 0x0f0f0f0f, w.z >> 4 & 0x0f0f0f0f,
                            w.w >> 4 & 0x0f0f0f0f);
    if (TYPE == Q5_K) {
      uint4 f = *(const uint4 *)(b + 16 + i0);
      int s = 2 * pair;
      low.x |= (f.x >> s & 0x01010101) << 4, low.y |= (f.y >> s & 0x01010101) << 4;
      low.z |= (f.z >> s & 0x01010101) << 4, low.w |= (f.w >> s & 0x01010101) << 4;
      s++;
      high.x |= (f.x >> s & 0x01010101) << 4, high.y |= (f.y >> s & 0x01010101) << 4;
      high.z |= (f.z >> s & 0x01010101) << 4, high.w |= (f.w >> s & 0x01010101) << 4;
    }
    // The scales and minima of groups 2 pair and 2 pair + 1, a byte each.
    int shift = 16 * (pair & 1);
    unsigned s = head.y >> shift, m = head.z >> shift, r = head.w >> shift;
    unsigned scales = pair < 2 ? s & 0x3f3f : (r & 0x0f0f) | (s >> 2 & 0x3030);
    unsigned minima = pair < 2 ? m & 0x3f3f : (r >> 4 & 0x0f0f) | (m >> 2 & 0x3030);
    float2 d = __half22float2(*(const __half2 *)&head.x);
    int g = at >> 5;
    float dots = (scales & 255) * x.scale[g] * dot16(low, x.q + at) +
                 (scales >> 8 & 255) * x.scale[g + 1] * dot16(high, x.q + at + 32);
    float sums = (minima & 255) * x.sum[at >> 4] + (minima >> 8 & 255) * x.sum[(at + 32) >> 4];
    return d.x * dots - d.y * sums;
  }
  if (TYPE == Q6_K) {
    int half = piece >> 3, k = piece >> 2 & 1, i0 = 8 * (piece & 3), sub = i0 >> 4;
    uint2 l = pair2(b + 64 * half + 32 * k + i0), h = pair2(b + 128 + 32 * half + i0);
    int s = 2 * k;
    uint2 low = make_uint2((l.x & 0x0f0f0f0f) | (h.x >> s & 0x03030303) << 4,
                           (l.y & 0x0f0f0f0f) | (h.y >> s & 0x03030303) << 4);
    uint2 high = make_uint2((l.x >> 4 & 0x0f0f0f0f) | (h.x >> (s + 4) & 0x03030303) << 4,
                            (l.y >> 4 & 0x0f0f0f0f) | (h.y >> (s + 4) & 0x03030303) << 4);
    const unsigned OFF = 0x20202020;
    low = make_uint2(__vsub4(low.x, OFF), __vsub4(low.y, OFF));
    high = make_uint2(__vsub4(high.x, OFF), __vsub4(high.y, OFF));
    int at = 256 * block + 128 * half + 32 * k + i0;
    const int8_t *scales = (const int8_t *)b + 192 + 8 * half + 2 * k + sub;
    return half_(b + 208) * (scales[0] * x.scale[at >> 5] * dot8(low, x.q + at, 0) +
                             scales[4] * x.scale[(at + 64) >> 5] * dot8(high, x.q + at + 64, 0));
  }
  int at = 32 * block;
  if (TYPE == Q8_0) {
    return half_(b) * x.scale[block] * dot8(pair2(b + 2 + 8 * piece), x.q + at + 8 * piece, 0);
  }
  uint2 w = pair2(b + 2 + 8 * piece);
  uint2 low = make_uint2(w.x & 0x0f0f0f0f, w.y & 0x0f0f0f0f);
  uint2 high = make_uint2(w.x >> 4 & 0x0f0f0f0f, w.y >> 4 & 0x0f0f0f0f);
  int dot = dot8(low, x.q + at + 8 * piece, dot8(high, x.q + at + 16 + 8 * piece, 0));
  float sums = piece == 0 ? 8 * (x.sum[2 * block] + x.sum[2 * block + 1]) : 0;
  return half_(b) * (x.scale[block] * dot - sums);
}

// One column with activations in eight bits: a warp a row, eight rows a block.
template <int TYPE>
__device__ __forceinline__ void quantizedVectorProduct(const Product &p) {
  extern __shared__ __align__(16) char shared[];
  int lane = threadIdx.x & 31, warps = blockDim.x >> 5, first = blockIdx.x;
  int rows = p.w.ne[1];
  const char *w = p.w.p;
  float *out = p.result;
  for (int i = 0; i < p.others && first >= (rows + warps - 1) / warps; i++) {
    first -= (rows + warps - 1) / warps;
    rows = p.otherRows[i];
    w = p.otherW[i];
    out = p.otherResult[i];
  }
  int m = first * warps + (threadIdx.x >> 5);
  const char *x;
  if (p.ids) {
    int u = blockIdx.y % p.used, t = blockIdx.y / p.used;
    int id = *(const int *)(p.ids + u * p.idStep0 + t * p.idStep1);
    out += (int64_t)blockIdx.y * rows;
    if (id < 0 || id >= p.w.ne[2]) {
      if (lane == 0 && m < rows) out[m] = 0;
      return;
    }
    w += id * p.w.nb[2];
    x = p.x.p + at(p.x, 0, p.x.ne[1] == 1 ? 0 : u, t, 0);
  } else {
    int i2 = blockIdx.z % p.x.ne[2], i3 = blockIdx.z / p.x.ne[2];
    w += i2 / p.repeat2 * p.w.nb[2] + i3 / p.repeat3 * p.w.nb[3];
    out += (int64_t)blockIdx.z * rows;
    x = p.x.p + at(p.x, 0, 0, i2, i3);
  }
  Quants q = quantize((const float *)x, p.w.ne[0], shared);
  if (m >= rows) return;
  const uint8_t *row = (const uint8_t *)w + m * p.w.nb[1];
  const int COUNT = Pieces<TYPE>::count;
  int blocks = p.w.ne[0] / Pieces<TYPE>::elements, piece = lane % COUNT;
  float sum = 0;
#pragma unroll 4
  for (int b = lane / COUNT; b < blocks; b += 32 / COUNT) {
    sum += pieceDot<TYPE>(row + b * Block<TYPE>::bytes, b, piece, q);
  }
  sum = warpSum(sum);
  if (lane == 0) out[m] = sum;
}

#define QUANTIZED_PRODUCTS(name, TYPE)                                                  \
  extern "C" __global__ void __launch_bounds__(256) mat_vec_q_##name(Product p) { \
    quantizedVectorProduct<TYPE>(p);                                                    \
  }
QUANTIZED_PRODUCTS(q4_k, Q4_K)
QUANTIZED_PRODUCTS(q5_k, Q5_K)
QUANTIZED_PRODUCTS(q6_k, Q6_K)
QUANTIZED_PRODUCTS(q8_0, Q8_0)
QUANTIZED_PRODUCTS(q4_0, Q4_0)

// Floats of any strides and lengths, a warp an element of the result; for what does not fit above.
extern "C" __global__ void mat_mul_any(Product p) {
  int lane = threadIdx.x & 31;
  int64_t i = (int64_t)blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5);
  int rows = p.w.ne[1];
  if (i >= (int64_t)rows * p.columns) return;
  int m = i % rows, n = i / rows;
  const char *w = p.w.p + m * p.w.nb[1], *x;
  float *out;
  if (p.ids) {
    int u = n % p.used, t = n / p.used;
    int id = *(const int *)(p.ids + u * p.idStep0 + t * p.idStep1);
    out = p.result + i;
    if (id < 0 || id >= p.w.ne[2]) {
      if (lane == 0) *out = 0;
      return;
    }
    w += id * p.w.nb[2];
    x = p.x.p + at(p.x, 0, p.x.ne[1] == 1 ? 0 : u, t, 0);
  } else {
    int i2 = blockIdx.y % p.x.ne[2], i3 = blockIdx.y / p.x.ne[2];
    w += i2 / p.repeat2 * p.w.nb[2] + i3 / p.repeat3 * p.w.nb[3];
    x = p.x.p + at(p.x, 0, n, i2, i3);
    out = p.result + (int64_t)blockIdx.y * p.columns * rows + i;
  }
  float sum = 0;
  for (int k = lane; k < p.w.ne[0]; k += 32) {
    sum += loadFloat(w + k * p.w.nb[0], p.type) * *(const float *)(x + k * p.x.nb[0]);
  }
  sum = warpSum(sum);
  if (lane == 0) *out = sum;
}
