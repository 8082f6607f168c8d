// SPDX-License-Identifier: Apache-2.0
// Attention over a cache with an online softmax (Milakov and Gimelshein, 2018), the live cells
// split over blocks (Dao et al., Flash-Decoding, 2023).
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

// Each lane holds elements lane + 32 r of a head; R of them at most.
template <int R>
__device__ __forceinline__ void attend(const Attention &a) {
  const int WARPS = 4;
  __shared__ float sums[WARPS][32 * R];
  __shared__ float maxima[WARPS], norms[WARPS];
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  int h = blockIdx.x, t = blockIdx.y, split = blockIdx.z;
  int d = a.q.ne[0], dv = a.v.ne[0], heads = a.q.ne[1], kv = h / (heads / a.k.ne[1]);
  const char *q = a.q.p + at(a.q, 0, h, t, 0);
  float query[R], sum[R];
#pragma unroll
  for (int r = 0; r < R; r++) {
    int i = lane + 32 * r;
    query[r] = i < d ? *(const float *)(q + i * 4) * a.scale : 0;
    sum[r] = 0;
  }
  int position = *(const int *)(a.queries + t * a.queryStep);
  int sequences = *(const int *)(a.queries + t * a.queryStep + a.queryNext);
  int live = min(*a.live, a.k.ne[2]);
  int span = (max(live, 0) + a.splits - 1) / a.splits;
  int end = min(live, (split + 1) * span);
  int sizeK = a.typeK == F32 ? 4 : 2, sizeV = a.typeV == F32 ? 4 : 2;
  const char *keys = a.k.p + kv * a.k.nb[1], *values = a.v.p + kv * a.v.nb[1];
  float m = -INFINITY, l = 0;
  for (int s = split * span + warp; s < end; s += WARPS) {
    int cell = *(const int *)(a.cells + s * a.cellStep);
    int owners = *(const int *)(a.cells + s * a.cellStep + a.cellNext);
    int64_t behind = (int64_t)position - cell;
    if ((owners & sequences) == 0 || behind < 0 || (a.window != 0 && behind >= a.window)) continue;
    const char *key = keys + s * a.k.nb[2], *value = values + s * a.v.nb[2];
    float score = 0;
#pragma unroll
    for (int r = 0; r < R; r++) {
      int i = lane + 32 * r;
      if (i < d) score += query[r] * loadFloat(key + i * sizeK, a.typeK);
    }
    score = warpSum(score);
    if (a.softcap > 0) score = capped(score, a.softcap);
    float top = fmaxf(m, score);
    float old = expf(m - top), weight = expf(score - top);
    m = top;
    l = l * old + weight;
#pragma unroll
    for (int r = 0; r < R; r++) {
      int i = lane + 32 * r;
      if (i < dv) sum[r] = sum[r] * old + weight * loadFloat(value + i * sizeV, a.typeV);
    }
  }
#pragma unroll
  for (int r = 0; r < R; r++) sums[warp][lane + 32 * r] = sum[r];
  if (lane == 0) maxima[warp] = m, norms[warp] = l;
  __syncthreads();
  float top = fmaxf(fmaxf(maxima[0], maxima[1]), fmaxf(maxima[2], maxima[3]));
  float scales[WARPS], total = 0;
#pragma unroll
  for (int w = 0; w < WARPS; w++) {
    scales[w] = maxima[w] == -INFINITY ? 0 : expf(maxima[w] - top);
    total += norms[w] * scales[w];
  }
  int64_t row = (int64_t)t * heads + h;
  float factor = a.splits == 1 ? finish(a, h, top, total) : 1;
  float *out = a.splits == 1 ? a.result + row * dv : a.parts + (row * a.splits + split) * (dv + 2);
  for (int i = threadIdx.x; i < dv; i += blockDim.x) {
    float x = 0;
#pragma unroll
    for (int w = 0; w < WARPS; w++) x += sums[w][i] * scales[w];
    out[i] = x * factor;
  }
  if (a.splits > 1 && threadIdx.x == 0) out[dv] = top, out[dv + 1] = total;
}

extern "C" __global__ void __launch_bounds__(128) attention_128(Attention a) {
  awaitPrevious();
  attend<4>(a);
}
extern "C" __global__ void __launch_bounds__(128) attention_256(Attention a) {
  awaitPrevious();
  attend<8>(a);
}
extern "C" __global__ void __launch_bounds__(128) attention_512(Attention a) {
  awaitPrevious();
  attend<16>(a);
}

extern "C" __global__ void attention_join(Attention a) {
  awaitPrevious();
  int h = blockIdx.x, t = blockIdx.y, dv = a.v.ne[0];
  int64_t row = (int64_t)t * a.q.ne[1] + h;
  const float *parts = a.parts + row * a.splits * (dv + 2);
  float top = -INFINITY, total = 0;
  for (int s = 0; s < a.splits; s++) top = fmaxf(top, parts[s * (dv + 2) + dv]);
  if (top > -INFINITY) {
    for (int s = 0; s < a.splits; s++) {
      total += parts[s * (dv + 2) + dv + 1] * expf(parts[s * (dv + 2) + dv] - top);
    }
  }
  float factor = finish(a, h, top, total);
  for (int i = threadIdx.x; i < dv; i += blockDim.x) {
    float x = 0;
    if (top > -INFINITY) {
      for (int s = 0; s < a.splits; s++) {
        x += parts[s * (dv + 2) + i] * expf(parts[s * (dv + 2) + dv] - top);
      }
    }
    a.result[row * dv + i] = x * factor;
  }
}

__device__ __forceinline__ unsigned packHalf(float a, float b) {
  __half2 h = __floats2half2_rn(a, b);
  return *(unsigned *)&h;
}

// Many queries over an F16 cache on tensor cores (Dao, FlashAttention-2, 2023): a block takes 64
// queries of a head, a warp 16 of them, over tiles of 64 cells. Tiles that nobody sees are skipped.
template <int D>
__device__ __forceinline__ void attendTiles(const Attention &a) {
  const int CELLS = 64, ROW = D + 8;
  __shared__ __align__(16) __half ks[CELLS][ROW];
  __shared__ __align__(16) __half vs[CELLS][ROW];
  __shared__ int positions[CELLS], owners[CELLS];
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, lg = lane >> 2, lt = lane & 3;
  int h = blockIdx.x, heads = a.q.ne[1], tokens = a.q.ne[2], kv = h / (heads / a.k.ne[1]);
  int position[2], sequences[2], token[2];
  unsigned q[D / 16][4];
#pragma unroll
  for (int r = 0; r < 2; r++) {
    token[r] = blockIdx.y * 64 + warp * 16 + lg + 8 * r;
    int t = min(token[r], tokens - 1);
    position[r] = *(const int *)(a.queries + t * a.queryStep);
    sequences[r] = *(const int *)(a.queries + t * a.queryStep + a.queryNext);
    if (token[r] >= tokens) sequences[r] = 0;
    const float *row = (const float *)(a.q.p + at(a.q, 0, h, t, 0));
#pragma unroll
    for (int k = 0; k < D / 16; k++) {
      float2 x = *(const float2 *)(row + 16 * k + 2 * lt);
      float2 y = *(const float2 *)(row + 16 * k + 8 + 2 * lt);
      q[k][r] = packHalf(x.x * a.scale, x.y * a.scale);
      q[k][r + 2] = packHalf(y.x * a.scale, y.y * a.scale);
    }
  }
  int latest = max(sequences[0] ? position[0] : -1, sequences[1] ? position[1] : -1);
  for (int o = 16; o > 0; o >>= 1) latest = max(latest, __shfl_xor_sync(~0u, latest, o));
  float o[D / 8][4] = {}, m[2] = {-INFINITY, -INFINITY}, l[2] = {0, 0};
  int live = min(*a.live, a.k.ne[2]);
  const char *keys = a.k.p + kv * a.k.nb[1], *values = a.v.p + kv * a.v.nb[1];
  for (int s0 = 0; s0 < live; s0 += CELLS) {
    int seen = 0;
    for (int i = threadIdx.x; i < CELLS; i += blockDim.x) {
      bool in = s0 + i < live;
      const char *cell = a.cells + (int64_t)(in ? s0 + i : 0) * a.cellStep;
      positions[i] = *(const int *)cell;
      owners[i] = in ? *(const int *)(cell + a.cellNext) : 0;
    }
    __syncthreads();
    for (int i = lane; i < CELLS; i += 32) seen |= owners[i] != 0 && positions[i] <= latest;
    if (!__syncthreads_or(seen)) continue;
    for (int i = threadIdx.x; i < CELLS * D / 8; i += blockDim.x) {
      int row = i / (D / 8), col = i % (D / 8);
      uint4 k = make_uint4(0, 0, 0, 0), v = k;
      if (s0 + row < live) {
        k = *(const uint4 *)(keys + (s0 + row) * a.k.nb[2] + 16 * col);
        v = *(const uint4 *)(values + (s0 + row) * a.v.nb[2] + 16 * col);
      }
      *(uint4 *)&ks[row][8 * col] = k;
      *(uint4 *)&vs[row][8 * col] = v;
    }
    __syncthreads();
    float s[CELLS / 8][4] = {};
#pragma unroll
    for (int k = 0; k < D / 16; k++) {
#pragma unroll
      for (int j = 0; j < CELLS / 16; j++) {
        unsigned b[4];
        loadMatrices(b, &ks[16 * j + (lane & 7) + (lane >> 4 << 3)]
                                  [16 * k + ((lane >> 3 & 1) << 3)]);
        mmaF16(s[2 * j], q[k], b);
        mmaF16(s[2 * j + 1], q[k], b + 2);
      }
    }
    float top[2] = {m[0], m[1]};
#pragma unroll
    for (int j = 0; j < CELLS / 8; j++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        int cell = 8 * j + 2 * lt + (e & 1), r = e >> 1;
        int64_t behind = (int64_t)position[r] - positions[cell];
        bool visible = (owners[cell] & sequences[r]) != 0 && behind >= 0 &&
                       (a.window == 0 || behind < a.window);
        float x = s[j][e];
        if (a.softcap > 0) x = capped(x, a.softcap);
        s[j][e] = visible ? x : -INFINITY;
        top[r] = fmaxf(top[r], s[j][e]);
      }
    }
    float base[2];
#pragma unroll
    for (int r = 0; r < 2; r++) {
      top[r] = fmaxf(top[r], __shfl_xor_sync(~0u, top[r], 1));
      top[r] = fmaxf(top[r], __shfl_xor_sync(~0u, top[r], 2));
      base[r] = top[r] == -INFINITY ? 0 : top[r];
      float old = __expf(m[r] - base[r]);
      m[r] = top[r];
      l[r] *= old;
#pragma unroll
      for (int j = 0; j < D / 8; j++) o[j][2 * r] *= old, o[j][2 * r + 1] *= old;
    }
#pragma unroll
    for (int j = 0; j < CELLS / 8; j++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        s[j][e] = __expf(s[j][e] - base[e >> 1]);
        l[e >> 1] += s[j][e];
      }
    }
#pragma unroll
    for (int k = 0; k < CELLS / 16; k++) {
      unsigned w[4] = {packHalf(s[2 * k][0], s[2 * k][1]), packHalf(s[2 * k][2], s[2 * k][3]),
                       packHalf(s[2 * k + 1][0], s[2 * k + 1][1]),
                       packHalf(s[2 * k + 1][2], s[2 * k + 1][3])};
#pragma unroll
      for (int j = 0; j < D / 16; j++) {
        unsigned b[4];
        loadMatricesTransposed(b, &vs[16 * k + (lane & 15)][16 * j + (lane >> 4 << 3)]);
        mmaF16(o[2 * j], w, b);
        mmaF16(o[2 * j + 1], w, b + 2);
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int r = 0; r < 2; r++) {
    l[r] += __shfl_xor_sync(~0u, l[r], 1);
    l[r] += __shfl_xor_sync(~0u, l[r], 2);
    if (token[r] >= tokens) continue;
    float factor = finish(a, h, m[r], l[r]);
    float *out = a.result + ((int64_t)token[r] * heads + h) * D;
#pragma unroll
    for (int j = 0; j < D / 8; j++) {
      *(float2 *)(out + 8 * j + 2 * lt) =
          make_float2(o[j][2 * r] * factor, o[j][2 * r + 1] * factor);
    }
  }
}

extern "C" __global__ void __launch_bounds__(128) attention_tiles_64(Attention a) {
  awaitPrevious();
  attendTiles<64>(a);
}
extern "C" __global__ void __launch_bounds__(128) attention_tiles_128(Attention a) {
  awaitPrevious();
  attendTiles<128>(a);
}

const int MOST_SPLITS = 64, CELLS_A_SPLIT = 256;

// Few queries over an F16 cache: a block takes heads that share keys and values. A group of D / 8
// lanes takes four cells at a time, a lane eight elements of each. The block that ends last adds up
// what the splits have found.
template <int D, int HEADS>
__device__ __forceinline__ void attendHeads(const Attention &a) {
  const int LANES = D / 8, GROUPS = 32 / LANES, WARPS = 8, AT_ONCE = 4;
  __shared__ float sums[WARPS][HEADS][D];
  __shared__ float maxima[WARPS][HEADS], norms[WARPS][HEADS];
  __shared__ float weights[HEADS][MOST_SPLITS];
  __shared__ bool last;
  releaseNext();
  awaitPrevious();
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, at8 = lane % LANES * 8;
  int heads = a.q.ne[1], group = heads / a.k.ne[1], parts = (group + HEADS - 1) / HEADS;
  int kv = blockIdx.x / parts, h0 = kv * group + blockIdx.x % parts * HEADS;
  int shared = min(HEADS, (kv + 1) * group - h0), t = blockIdx.y, split = blockIdx.z;
  int live = max(0, min(*a.live, a.k.ne[2]));
  int splits = min(a.splits, max(1, (live + CELLS_A_SPLIT - 1) / CELLS_A_SPLIT)), span = (live + splits - 1) / splits;
  if (split >= splits) return;
  float q[HEADS][8], sum[HEADS][8], m[HEADS], l[HEADS];
#pragma unroll
  for (int h = 0; h < HEADS; h++) {
    m[h] = -INFINITY;
    l[h] = 0;
    const float *from = (const float *)(a.q.p + at(a.q, 0, h0 + min(h, shared - 1), t, 0));
#pragma unroll
    for (int i = 0; i < 8; i++) q[h][i] = from[at8 + i] * a.scale, sum[h][i] = 0;
  }
  int position = *(const int *)(a.queries + t * a.queryStep);
  int sequences = *(const int *)(a.queries + t * a.queryStep + a.queryNext);
  const char *keys = a.k.p + kv * a.k.nb[1] + 2 * at8, *values = a.v.p + kv * a.v.nb[1] + 2 * at8;
  int end = min(live, (split + 1) * span);
  for (int s0 = split * span + warp * GROUPS * AT_ONCE; s0 < end; s0 += WARPS * GROUPS * AT_ONCE) {
    uint4 key[AT_ONCE], value[AT_ONCE];
    bool seen[AT_ONCE];
#pragma unroll
    for (int j = 0; j < AT_ONCE; j++) {
      int s = s0 + j * GROUPS + lane / LANES;
      bool in = s < end;
      s = in ? s : s0;
      int cell = *(const int *)(a.cells + s * a.cellStep);
      int owners = *(const int *)(a.cells + s * a.cellStep + a.cellNext);
      int64_t behind = (int64_t)position - cell;
      seen[j] = in && (owners & sequences) != 0 && behind >= 0 &&
                (a.window == 0 || behind < a.window);
      key[j] = *(const uint4 *)(keys + s * a.k.nb[2]);
      value[j] = *(const uint4 *)(values + s * a.v.nb[2]);
    }
    float score[HEADS][AT_ONCE];
#pragma unroll
    for (int j = 0; j < AT_ONCE; j++) {
      float2 k[4] = {__half22float2(*(__half2 *)&key[j].x), __half22float2(*(__half2 *)&key[j].y),
                     __half22float2(*(__half2 *)&key[j].z), __half22float2(*(__half2 *)&key[j].w)};
#pragma unroll
      for (int h = 0; h < HEADS; h++) {
        float x = 0;
#pragma unroll
        for (int i = 0; i < 4; i++) x += q[h][2 * i] * k[i].x + q[h][2 * i + 1] * k[i].y;
#pragma unroll
        for (int o = LANES / 2; o > 0; o >>= 1) x += __shfl_xor_sync(~0u, x, o);
        if (a.softcap > 0) x = capped(x, a.softcap);
        score[h][j] = seen[j] ? x : -INFINITY;
      }
    }
#pragma unroll
    for (int h = 0; h < HEADS; h++) {
      float top = m[h];
#pragma unroll
      for (int j = 0; j < AT_ONCE; j++) top = fmaxf(top, score[h][j]);
      float base = top == -INFINITY ? 0 : top, old = __expf(m[h] - base);
      m[h] = top;
      l[h] *= old;
#pragma unroll
      for (int i = 0; i < 8; i++) sum[h][i] *= old;
#pragma unroll
      for (int j = 0; j < AT_ONCE; j++) score[h][j] = __expf(score[h][j] - base), l[h] += score[h][j];
    }
#pragma unroll
    for (int j = 0; j < AT_ONCE; j++) {
      float2 v[4] = {
          __half22float2(*(__half2 *)&value[j].x), __half22float2(*(__half2 *)&value[j].y),
          __half22float2(*(__half2 *)&value[j].z), __half22float2(*(__half2 *)&value[j].w)};
      // A cell that nobody sees may hold anything.
      if (!seen[j]) v[0] = v[1] = v[2] = v[3] = make_float2(0, 0);
#pragma unroll
      for (int h = 0; h < HEADS; h++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
          sum[h][2 * i] += score[h][j] * v[i].x;
          sum[h][2 * i + 1] += score[h][j] * v[i].y;
        }
      }
    }
  }
#pragma unroll
  for (int h = 0; h < HEADS; h++) {
#pragma unroll
    for (int o = LANES; o < 32; o <<= 1) {
      float other = __shfl_xor_sync(~0u, m[h], o), top = fmaxf(m[h], other);
      float base = top == -INFINITY ? 0 : top;
      float mine = __expf(m[h] - base), theirs = __expf(other - base);
      m[h] = top;
      l[h] = l[h] * mine + __shfl_xor_sync(~0u, l[h], o) * theirs;
#pragma unroll
      for (int i = 0; i < 8; i++) {
        sum[h][i] = sum[h][i] * mine + __shfl_xor_sync(~0u, sum[h][i], o) * theirs;
      }
    }
    if (lane < LANES) {
#pragma unroll
      for (int i = 0; i < 8; i++) sums[warp][h][at8 + i] = sum[h][i];
    }
    if (lane == 0) maxima[warp][h] = m[h], norms[warp][h] = l[h];
  }
  __syncthreads();
  int64_t row0 = (int64_t)t * heads + h0;
  for (int i = threadIdx.x; i < shared * D; i += blockDim.x) {
    int h = i / D, d = i % D;
    float top = -INFINITY, total = 0, x = 0;
#pragma unroll
    for (int w = 0; w < WARPS; w++) top = fmaxf(top, maxima[w][h]);
#pragma unroll
    for (int w = 0; w < WARPS; w++) {
      float weight = maxima[w][h] == -INFINITY ? 0 : __expf(maxima[w][h] - top);
      total += norms[w][h] * weight;
      x += sums[w][h][d] * weight;
    }
    if (splits == 1) {
      a.result[(row0 + h) * D + d] = x * finish(a, h0 + h, top, total);
    } else {
      float *out = a.parts + ((row0 + h) * a.splits + split) * (D + 2);
      out[d] = x;
      if (d == 0) out[D] = top, out[D + 1] = total;
    }
  }
  if (splits > 1) {
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
      unsigned *counter = a.counters + t * gridDim.x + blockIdx.x;
      last = atomicInc(counter, splits - 1) == splits - 1;
    }
    __syncthreads();
    if (!last) return;
    __threadfence();
    // A warp a head weighs the splits.
    if (warp < shared) {
      const float *found = a.parts + (row0 + warp) * a.splits * (D + 2) + D;
      float top = -INFINITY, total = 0;
      for (int s = lane; s < splits; s += 32) top = fmaxf(top, __ldcg(found + s * (D + 2)));
      top = warpMax(top);
      float base = top == -INFINITY ? 0 : top;
      for (int s = lane; s < splits; s += 32) {
        float weight = __expf(__ldcg(found + s * (D + 2)) - base);
        weights[warp][s] = weight;
        total += weight * __ldcg(found + s * (D + 2) + 1);
      }
      total = warpSum(total);
      float factor = finish(a, h0 + warp, top, total);
      if (lane == 0) norms[0][warp] = factor;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < shared * D; i += blockDim.x) {
      int h = i / D, d = i % D;
      const float *found = a.parts + (row0 + h) * a.splits * (D + 2) + d;
      float x = 0;
#pragma unroll 8
      for (int s = 0; s < splits; s++) x += weights[h][s] * __ldcg(found + s * (D + 2));
      a.result[(row0 + h) * D + d] = x * norms[0][h];
    }
  }
  if (a.form == nullptr) return;
  __syncthreads();
  int64_t elements = (int64_t)a.q.ne[2] * heads * D, first = row0 * D / 4;
  Form form(a.form, QUANTS, elements, D);
  for (int i = threadIdx.x; i < shared * D / 4; i += blockDim.x) {
    form.quantize(first + i, ((const float4 *)a.result)[first + i]);
  }
}

#define ATTEND_HEADS(D, HEADS)                                                             \
  extern "C" __global__ void __launch_bounds__(256) attention_heads_##D##_##HEADS(Attention a) { \
    attendHeads<D, HEADS>(a);                                                              \
  }
ATTEND_HEADS(64, 1)
ATTEND_HEADS(64, 2)
ATTEND_HEADS(64, 4)
ATTEND_HEADS(128, 1)
ATTEND_HEADS(128, 2)
ATTEND_HEADS(128, 4)
