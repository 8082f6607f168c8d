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

// What a lane takes of a row at once: 32 weights, two runs of 16. Fields are the layouts' own.
struct Piece {
  uint4 a;
  uint4 b;
  uint4 c;
};

// The activations that meet them.
struct Meeting {
  int4 first;
  int4 second;
  float2 scale;
  float2 sum;
};

// 16 bytes from an even address.
__device__ __forceinline__ uint4 load16(const uint8_t *p) {
  const unsigned *w = (const unsigned *)((uintptr_t)p & ~(uintptr_t)3);
  int shift = ((uintptr_t)p & 2) * 8;
  unsigned a = w[0], b = w[1], c = w[2], d = w[3], e = shift ? w[4] : 0;
  return make_uint4(__funnelshift_r(a, b, shift), __funnelshift_r(b, c, shift),
                    __funnelshift_r(c, d, shift), __funnelshift_r(d, e, shift));
}

template <int TYPE>
struct Super {
  static const bool is = TYPE == Q4_K || TYPE == Q5_K || TYPE == Q6_K;
};

// Piece i of a row.
template <int TYPE>
__device__ __forceinline__ Piece loadPiece(const uint8_t *row, int i) {
  Piece p;
  const uint8_t *b = row + (int64_t)(Super<TYPE>::is ? i >> 3 : i) * Block<TYPE>::bytes;
  int part = i & 7;
  if (TYPE == Q4_K || TYPE == Q5_K) {
    p.a = *(const uint4 *)(b + (TYPE == Q4_K ? 16 : 48) + 16 * part);
    p.b = *(const uint4 *)b;
    if (TYPE == Q5_K) p.c = *(const uint4 *)(b + 16 + 16 * (part & 1));
  } else if (TYPE == Q6_K) {
    int half = part >> 2, k = part >> 1 & 1, s = part & 1;
    p.a = load16(b + 16 * part);
    p.b = load16(b + 128 + 32 * half + 16 * s);
    const uint8_t *scales = b + 192 + 8 * half + 2 * k + s;
    p.c.x = scales[0] | scales[4] << 8;
    p.c.y = u16(b + 208);
  } else if (TYPE == Q8_0) {
    p.a = load16(b + 2);
    p.b = load16(b + 18);
    p.c.x = u16(b);
  } else {
    p.a = load16(b + 2);
    p.c.x = u16(b);
  }
  return p;
}

template <int TYPE>
__device__ __forceinline__ Meeting loadMeeting(const Quants &x, int i) {
  int first = 32 * i, second = first + 16;
  if (TYPE == Q4_K || TYPE == Q5_K) {
    first = 256 * (i >> 3) + 64 * (i >> 1 & 3) + 16 * (i & 1), second = first + 32;
  } else if (TYPE == Q6_K) {
    first = 256 * (i >> 3) + 128 * (i >> 2 & 1) + 32 * (i >> 1 & 1) + 16 * (i & 1);
    second = first + 64;
  }
  Meeting m;
  m.first = *(const int4 *)(x.q + first);
  m.second = *(const int4 *)(x.q + second);
  m.scale = make_float2(x.scale[first >> 5], x.scale[second >> 5]);
  if (TYPE != Q6_K && TYPE != Q8_0) m.sum = make_float2(x.sum[first >> 4], x.sum[second >> 4]);
  return m;
}

__device__ __forceinline__ int dot16(uint4 w, int4 x) {
  return __dp4a((int)w.x, x.x, __dp4a((int)w.y, x.y, __dp4a((int)w.z, x.z, __dp4a((int)w.w, x.w, 0))));
}

__device__ __forceinline__ uint4 bits(uint4 w, int shift, unsigned mask) {
  return make_uint4(w.x >> shift & mask, w.y >> shift & mask, w.z >> shift & mask,
                    w.w >> shift & mask);
}

__device__ __forceinline__ uint4 over(uint4 low, uint4 high) {
  return make_uint4(low.x | high.x << 4, low.y | high.y << 4, low.z | high.z << 4,
                    low.w | high.w << 4);
}

__device__ __forceinline__ uint4 less32(uint4 w) {
  const unsigned OFF = 0x20202020;
  return make_uint4(__vsub4(w.x, OFF), __vsub4(w.y, OFF), __vsub4(w.z, OFF), __vsub4(w.w, OFF));
}

__device__ __forceinline__ float halfOf(unsigned bits) {
  return __half2float(__ushort_as_half((unsigned short)bits));
}

template <int TYPE>
__device__ __forceinline__ float dot(const Piece &p, const Meeting &x, int i) {
  const unsigned NIBBLES = 0x0f0f0f0f;
  uint4 low = bits(p.a, 0, NIBBLES), high = bits(p.a, 4, NIBBLES);
  if (TYPE == Q4_K || TYPE == Q5_K) {
    int pair = i >> 1 & 3;
    if (TYPE == Q5_K) {
      low = over(low, bits(p.c, 2 * pair, 0x01010101));
      high = over(high, bits(p.c, 2 * pair + 1, 0x01010101));
    }
    // The scales and minima of groups 2 pair and 2 pair + 1, a byte each.
    int shift = 16 * (pair & 1);
    unsigned s = p.b.y >> shift, m = p.b.z >> shift, r = p.b.w >> shift;
    unsigned scales = pair < 2 ? s & 0x3f3f : (r & 0x0f0f) | (s >> 2 & 0x3030);
    unsigned minima = pair < 2 ? m & 0x3f3f : (r >> 4 & 0x0f0f) | (m >> 2 & 0x3030);
    float2 d = __half22float2(*(const __half2 *)&p.b.x);
    float dots = (scales & 255) * x.scale.x * dot16(low, x.first) +
                 (scales >> 8 & 255) * x.scale.y * dot16(high, x.second);
    float sums = (minima & 255) * x.sum.x + (minima >> 8 & 255) * x.sum.y;
    return d.x * dots - d.y * sums;
  }
  if (TYPE == Q6_K) {
    int shift = 2 * (i >> 1 & 1);
    low = less32(over(low, bits(p.b, shift, 0x03030303)));
    high = less32(over(high, bits(p.b, shift + 4, 0x03030303)));
    return halfOf(p.c.y) * ((int8_t)p.c.x * x.scale.x * dot16(low, x.first) +
                            (int8_t)(p.c.x >> 8) * x.scale.y * dot16(high, x.second));
  }
  if (TYPE == Q8_0) {
    return halfOf(p.c.x) * x.scale.x * (dot16(p.a, x.first) + dot16(p.b, x.second));
  }
  float sums = 8 * (x.sum.x + x.sum.y);
  return halfOf(p.c.x) * (x.scale.x * (dot16(low, x.first) + dot16(high, x.second)) - sums);
}

const int ROWS = 4;  // of a warp at once

// What a lane adds up of the products of some rows; they share what it loads of the activations.
template <int TYPE>
__device__ __forceinline__ void rowDots(const uint8_t *const *rows, int k, int part, int split,
                                        const Quants &x, float *sums) {
  int lane = threadIdx.x & 31;
#pragma unroll 2
  for (int i = 32 * part + lane; i < k >> 5; i += 32 * split) {
    Piece pieces[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) pieces[r] = loadPiece<TYPE>(rows[r], i);
    Meeting meeting = loadMeeting<TYPE>(x, i);
#pragma unroll
    for (int r = 0; r < ROWS; r++) sums[r] += dot<TYPE>(pieces[r], meeting, i);
  }
}

__device__ __forceinline__ void rowDots(int type, const uint8_t *const *rows, int k, int part,
                                        int split, const Quants &x, float *sums) {
  switch (type) {
    case Q4_K: return rowDots<Q4_K>(rows, k, part, split, x, sums);
    case Q5_K: return rowDots<Q5_K>(rows, k, part, split, x, sums);
    case Q6_K: return rowDots<Q6_K>(rows, k, part, split, x, sums);
    case Q8_0: return rowDots<Q8_0>(rows, k, part, split, x, sums);
    default: return rowDots<Q4_0>(rows, k, part, split, x, sums);
  }
}

// Asks for the start of a warp's share of a row, while the activations are still being made.
__device__ __forceinline__ void prefetchRow(const uint8_t *row, int64_t bytes, int part,
                                            int split) {
  int64_t at = bytes * part / split + 128 * (threadIdx.x & 31);
  if (at < bytes * (part + 1) / split) prefetch(row + at);
}

extern "C" __global__ void __launch_bounds__(256, 2) mat_vec_q(QuantProduct p) {
  __shared__ float parts[8][ROWS];
  releaseNext();
  int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, i = 0;
  while (i + 1 < p.count && (int)blockIdx.x >= p.segments[i + 1].first) i++;
  const Segment &s = p.segments[i];
  int part = warp % p.split;
  int m = ((blockIdx.x - s.first) * (8 / p.split) + warp / p.split) * ROWS;
  const uint8_t *w = (const uint8_t *)s.w;
  int64_t offset = 0, column = 0;
  bool chosen = true;
  if (p.ids) {
    awaitPrevious();
    int u = blockIdx.y % p.used, t = blockIdx.y / p.used;
    int id = *(const int *)(p.ids + u * p.idStep0 + t * p.idStep1);
    chosen = id >= 0 && id < p.experts;
    w += chosen ? id * p.expertBytes : 0;
    column = blockIdx.y;
    offset = (p.ownRows ? column : t) * p.k;
  }
  const uint8_t *rows[ROWS];
#pragma unroll
  for (int r = 0; r < ROWS; r++) rows[r] = w + min(m + r, s.rows - 1) * s.rowBytes;
  if (!p.ids) {
    if (m < s.rows) {
#pragma unroll
      for (int r = 0; r < ROWS; r++) prefetchRow(rows[r], s.rowBytes, part, p.split);
    }
    awaitPrevious();
  }
  Quants x(p.x, p.elements);
  x.q += offset, x.scale += offset / 32, x.sum += offset / 16;
  float sums[ROWS] = {};
  if (m < s.rows && chosen) rowDots(s.type, rows, p.k, part, p.split, x, sums);
#pragma unroll
  for (int r = 0; r < ROWS; r++) sums[r] = warpSum(sums[r]);
  if (p.split > 1) {
    if (lane == 0) {
#pragma unroll
      for (int r = 0; r < ROWS; r++) parts[warp][r] = sums[r];
    }
    __syncthreads();
    if (part != 0) return;
    for (int j = 1; j < p.split; j++) {
#pragma unroll
      for (int r = 0; r < ROWS; r++) sums[r] += parts[warp + j][r];
    }
  }
  if (lane == 0) {
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
      if (m + r < s.rows) s.result[column * s.rows + m + r] = sums[r];
    }
  }
}

struct Gated {
  const char *gate;
  const char *up;
  float *result;
  char *form;     // Quants of the result, or null
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

// A gate and the product that it opens, 32 rows a block: a warp takes two of each at once.
template <int TYPE>
__device__ __forceinline__ void gated(const Gated &p) {
  __shared__ __align__(16) float results[32];
  releaseNext();
  int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, first = blockIdx.x * 32 + warp * 4;
  const uint8_t *gate = (const uint8_t *)p.gate, *up = (const uint8_t *)p.up;
  for (int j = 0; j < 4; j++) {
    if (first + j < p.rows) {
      prefetchRow(gate + (first + j) * p.gateBytes, p.gateBytes, 0, 1);
      prefetchRow(up + (first + j) * p.upBytes, p.upBytes, 0, 1);
    }
  }
  awaitPrevious();
  Quants x(p.x, p.k);
  for (int j = 0; j < 4; j += 2) {
    int m = min(first + j, p.rows - 1), next = min(first + j + 1, p.rows - 1);
    const uint8_t *rows[ROWS] = {gate + m * p.gateBytes, gate + next * p.gateBytes,
                                 up + m * p.upBytes, up + next * p.upBytes};
    float sums[ROWS] = {};
    rowDots<TYPE>(rows, p.k, 0, 1, x, sums);
#pragma unroll
    for (int r = 0; r < ROWS; r++) sums[r] = warpSum(sums[r]);
    if (lane < 2) {
      float g = lane == 0 ? sums[0] : sums[1], u = lane == 0 ? sums[2] : sums[3];
      float h = apply(p.function, g, u, p.p0, p.p1);
      results[4 * warp + j + lane] = h;
      if (first + j + lane < p.rows) p.result[first + j + lane] = h;
    }
  }
  if (p.form == nullptr) return;
  __syncthreads();
  if (threadIdx.x < 8) {
    Form form(p.form, QUANTS, p.rows, p.rows);
    form.quantize(blockIdx.x * 8 + threadIdx.x, ((const float4 *)results)[threadIdx.x]);
  }
}

// The same of floats, a warp a row.
template <int TYPE>
__device__ __forceinline__ void gatedFloats(const Gated &p) {
  releaseNext();
  awaitPrevious();
  int lane = threadIdx.x & 31, m = blockIdx.x * 32 + (threadIdx.x >> 5);
  for (int end = blockIdx.x * 32 + 32; m < end; m += blockDim.x >> 5) {
    const char *gate = p.gate + m * p.gateBytes, *up = p.up + m * p.upBytes;
    float sums[2] = {0, 0};
    for (int g = lane; g < p.k >> 3; g += 32) {
      float v[8], w[8];
      decode8<TYPE>(gate, g, v);
      decode8<TYPE>(up, g, w);
#pragma unroll
      for (int i = 0; i < 8; i++) {
        float x = ((const float *)p.x)[8 * g + i];
        sums[0] += v[i] * x;
        sums[1] += w[i] * x;
      }
    }
    float g = warpSum(sums[0]), u = warpSum(sums[1]);
    if (lane == 0) p.result[m] = apply(p.function, g, u, p.p0, p.p1);
  }
}

#define GATED(name, TYPE) \
  extern "C" __global__ void __launch_bounds__(256, 2) mat_vec_gated_##name(Gated p) { gated<TYPE>(p); }
GATED(q4_k, Q4_K)
GATED(q5_k, Q5_K)
GATED(q6_k, Q6_K)
GATED(q8_0, Q8_0)
GATED(q4_0, Q4_0)

extern "C" __global__ void __launch_bounds__(256) mat_vec_gated_f16(Gated p) {
  gatedFloats<F16>(p);
}
extern "C" __global__ void __launch_bounds__(256) mat_vec_gated_bf16(Gated p) {
  gatedFloats<BF16>(p);
}
