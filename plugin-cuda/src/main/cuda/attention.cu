// SPDX-License-Identifier: Apache-2.0
// Attention over a cache with an online softmax (Milakov and Gimelshein, 2018), the live cells
// split over blocks (Dao et al., Flash-Decoding, 2023).
#include "attention.cuh"

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
