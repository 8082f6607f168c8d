// SPDX-License-Identifier: Apache-2.0
// Matrix products with few columns, a warp or several a row of the weight.
#include "activations.cuh"
#include "functions.cuh"
#include "product.cuh"

// Rows are loaded from 16-byte aligned addresses: w's for floats, x's always.
template <int TYPE, int N>
__device__ __forceinline__ void vectorProduct(const Product &p) {
  releaseNext();
  awaitPrevious();
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
#pragma unroll(N == 1 ? 4 : 1)
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

#define VECTORS(name, TYPE)                                                    \
  extern "C" __global__ void __launch_bounds__(128) mat_vec_##name(Product p) { \
    vectorProduct<TYPE, 1>(p);                                                 \
  }                                                                            \
  extern "C" __global__ void __launch_bounds__(128) mat_vec4_##name(Product p) { \
    vectorProduct<TYPE, 4>(p);                                                 \
  }
FOR_TYPES(VECTORS)

// Floats of any strides and lengths, a warp an element of the result; for what does not fit above.
extern "C" __global__ void mat_mul_any(Product p) {
  awaitPrevious();
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

// Products of one column, or of an expert a column, with activations in eight bits.
struct Segment {
  const char *w;
  float *result;
  int64_t rowBytes;
  int rows;
  int type;
  int first;  // block
  int pad;
};

struct QuantProduct {
  Segment segments[4];
  const char *x;      // Quants
  int64_t elements;   // of x
  const char *ids;    // of experts, or null
  int64_t idStep0;
  int64_t idStep1;
  int64_t expertBytes;
  int experts;
  int used;      // experts a token
  int ownRows;   // whether each of them has a row of x of its own
  int k;
  int count;     // segments
  int split;     // warps that share a row
};

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

// The part of a row's product that a lane of one of its warps adds up.
template <int TYPE>
__device__ __forceinline__ float rowDot(const uint8_t *row, int k, int part, int split,
                                        const Quants &x) {
  const int COUNT = Pieces<TYPE>::count;
  int lane = threadIdx.x & 31;
  int blocks = k / Pieces<TYPE>::elements, piece = lane % COUNT;
  float sum = 0;
#pragma unroll 4
  for (int b = (32 * part + lane) / COUNT; b < blocks; b += 32 / COUNT * split) {
    sum += pieceDot<TYPE>(row + (int64_t)b * Block<TYPE>::bytes, b, piece, x);
  }
  return sum;
}

__device__ __forceinline__ float rowDot(int type, const uint8_t *row, int k, int part, int split,
                                        const Quants &x) {
  switch (type) {
    case Q4_K: return rowDot<Q4_K>(row, k, part, split, x);
    case Q5_K: return rowDot<Q5_K>(row, k, part, split, x);
    case Q6_K: return rowDot<Q6_K>(row, k, part, split, x);
    case Q8_0: return rowDot<Q8_0>(row, k, part, split, x);
    default: return rowDot<Q4_0>(row, k, part, split, x);
  }
}

// Asks for the start of a warp's share of a row, while the activations are still being made.
__device__ __forceinline__ void prefetchRow(const char *row, int64_t bytes, int part, int split) {
  int64_t at = bytes * part / split + 128 * (threadIdx.x & 31);
  if (at < bytes * (part + 1) / split) prefetch(row + at);
}

extern "C" __global__ void __launch_bounds__(256) mat_vec_q(QuantProduct p) {
  __shared__ float sums[8];
  releaseNext();
  int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, i = 0;
  while (i + 1 < p.count && (int)blockIdx.x >= p.segments[i + 1].first) i++;
  const Segment &s = p.segments[i];
  int m = (blockIdx.x - s.first) * (8 / p.split) + warp / p.split, part = warp % p.split;
  const char *row = s.w + m * s.rowBytes;
  int64_t offset = 0, column = 0;
  bool is = m < s.rows, chosen = true;
  if (p.ids) {
    awaitPrevious();
    int u = blockIdx.y % p.used, t = blockIdx.y / p.used;
    int id = *(const int *)(p.ids + u * p.idStep0 + t * p.idStep1);
    chosen = id >= 0 && id < p.experts;
    row += id * p.expertBytes;
    column = blockIdx.y;
    offset = (p.ownRows ? column : t) * p.k;
  } else {
    if (is) prefetchRow(row, s.rowBytes, part, p.split);
    awaitPrevious();
  }
  Quants x(p.x, p.elements);
  x.q += offset, x.scale += offset / 32, x.sum += offset / 16;
  float sum = is && chosen ? rowDot(s.type, (const uint8_t *)row, p.k, part, p.split, x) : 0;
  sum = warpSum(sum);
  if (p.split > 1) {
    if (lane == 0) sums[warp] = sum;
    __syncthreads();
    if (part != 0) return;
    for (int j = 1; j < p.split; j++) sum += sums[warp + j];
  }
  if (lane == 0 && is) s.result[column * s.rows + m] = sum;
}

struct Gated {
  const char *gate;
  const char *up;
  float *result;
  char *form;  // Quants of the result, or null
  const char *x;  // Quants
  int64_t gateBytes;  // of a row
  int64_t upBytes;
  int rows;
  int k;
  int type;
  int function;
  float p0;
  float p1;
};

// A gate and the product that it opens, 32 rows a block.
template <int TYPE>
__device__ __forceinline__ void gated(const Gated &p) {
  __shared__ __align__(16) float results[32];
  releaseNext();
  int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, first = blockIdx.x * 32 + warp * 4;
  if (first < p.rows) {
    prefetchRow(p.gate + first * p.gateBytes, p.gateBytes, 0, 1);
    prefetchRow(p.up + first * p.upBytes, p.upBytes, 0, 1);
  }
  awaitPrevious();
  Quants x(p.x, p.k);
  const int COUNT = Pieces<TYPE>::count;
  int blocks = p.k / Pieces<TYPE>::elements, piece = lane % COUNT;
  for (int j = 0; j < 4; j++) {
    int m = first + j;
    float g = 0, u = 0;
    if (m < p.rows) {
      const uint8_t *gate = (const uint8_t *)p.gate + m * p.gateBytes;
      const uint8_t *up = (const uint8_t *)p.up + m * p.upBytes;
#pragma unroll 2
      for (int b = lane / COUNT; b < blocks; b += 32 / COUNT) {
        g += pieceDot<TYPE>(gate + (int64_t)b * Block<TYPE>::bytes, b, piece, x);
        u += pieceDot<TYPE>(up + (int64_t)b * Block<TYPE>::bytes, b, piece, x);
      }
    }
    g = warpSum(g);
    u = warpSum(u);
    if (lane == 0) {
      float h = m < p.rows ? apply(p.function, g, u, p.p0, p.p1) : 0;
      results[4 * warp + j] = h;
      if (m < p.rows) p.result[m] = h;
    }
  }
  if (p.form == nullptr) return;
  __syncthreads();
  if (threadIdx.x < 8) {
    Form form(p.form, QUANTS, p.rows, p.rows);
    form.quantize(blockIdx.x * 8 + threadIdx.x, ((const float4 *)results)[threadIdx.x]);
  }
}

#define GATED(name, TYPE) \
  extern "C" __global__ void __launch_bounds__(256, 4) mat_vec_gated_##name(Gated p) { gated<TYPE>(p); }
GATED(q4_k, Q4_K)
GATED(q5_k, Q5_K)
GATED(q6_k, Q6_K)
GATED(q8_0, Q8_0)
GATED(q4_0, Q4_0)
