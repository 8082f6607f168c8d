// SPDX-License-Identifier: Apache-2.0
// Attention of few queries over an F16 cache, bound by how fast the cache is read; heads that share
// keys and values read them once. The live cells are split over blocks (Dao et al., Flash-Decoding,
// 2023).
#include "attention.cuh"

const int MOST_SPLITS = 128, CELLS_A_SPLIT = 256;

// What a lane holds of 16 cells, as tensor cores take it: of keys 8 elements in every 32 of cells
// lane / 4 and lane / 4 + 8; of values 8 in every 64 of cells 2 (lane % 4) + {0, 1, 8, 9}.
template <int D>
struct CellKeys {
  uint4 key[D / 32][2];
  int cell[2], owners[2];

  __device__ __forceinline__ void look(const Attention &a, int s0, int end) {
    int lg = (threadIdx.x & 31) >> 2;
#pragma unroll
    for (int r = 0; r < 2; r++) {
      const char *from = a.cells + min(s0 + lg + 8 * r, end - 1) * a.cellStep;
      cell[r] = *(const int *)from;
      owners[r] = *(const int *)(from + a.cellNext);
    }
  }
  __device__ __forceinline__ void load(const Attention &a, const char *keys, int s0, int end) {
    int lg = (threadIdx.x & 31) >> 2, lt = threadIdx.x & 3;
#pragma unroll
    for (int r = 0; r < 2; r++) {
      int s = min(s0 + lg + 8 * r, end - 1);
#pragma unroll
      for (int j = 0; j < D / 32; j++) {
        key[j][r] = *(const uint4 *)(keys + s * a.k.nb[2] + 64 * j + 16 * lt);
      }
    }
  }
};

template <int D>
struct CellValues {
  uint4 value[D / 64][4];

  __device__ __forceinline__ void load(const Attention &a, const char *values, int s0, int end) {
    int lg = (threadIdx.x & 31) >> 2, lt = threadIdx.x & 3;
#pragma unroll
    for (int c = 0; c < 4; c++) {
      int s = min(s0 + 2 * lt + (c & 1) + 8 * (c >> 1), end - 1);
#pragma unroll
      for (int h = 0; h < D / 64; h++) {
        value[h][c] = *(const uint4 *)(values + s * a.v.nb[2] + 128 * h + 16 * lg);
      }
    }
  }
};

__device__ __forceinline__ unsigned word(const uint4 &v, int i) {
  return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w;
}

// A row of the result, four elements a lane, from what its splits have found; in the form as well.
template <int D>
__device__ __forceinline__ void putHead(const Attention &a, int64_t row, int d4, float4 x,
                                        float factor) {
  x = make_float4(x.x * factor, x.y * factor, x.z * factor, x.w * factor);
  int64_t i = row * (D / 4) + d4;
  ((float4 *)a.result)[i] = x;
  if (a.form) Form(a.form, QUANTS, (int64_t)a.q.ne[2] * a.q.ne[1] * D, D).quantize(i, x);
}

__device__ __forceinline__ void addTo(float4 &sum, float weight, float4 x) {
  sum.x += weight * x.x, sum.y += weight * x.y, sum.z += weight * x.z, sum.w += weight * x.w;
}

// Few queries over an F16 cache: a block takes up to eight heads that share keys and values, and a
// split of the cells; a warp 16 cells at a time, on tensor cores, as the product of keys with
// queries and of turned values with turned weights, so that heads are columns and none is wasted on
// a tile's rows. The block that ends last adds up what the splits have found.
template <int D>
__device__ __forceinline__ void attendHeads(const Attention &a) {
  const int HEADS = 8, WARPS = 8, CELLS = 16;
  __shared__ __align__(16) float sums[WARPS][HEADS][D];
  __shared__ float maxima[WARPS][HEADS], norms[WARPS][HEADS], weights[WARPS][MOST_SPLITS];
  __shared__ bool last;
  releaseNext();
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, lg = lane >> 2, lt = lane & 3;
  int heads = a.q.ne[1], group = heads / a.k.ne[1], parts = (group + HEADS - 1) / HEADS;
  int kv = blockIdx.x / parts, h0 = kv * group + blockIdx.x % parts * HEADS;
  int shared = min(HEADS, (kv + 1) * group - h0), t = blockIdx.y, split = blockIdx.z;
  const char *keys = a.k.p + kv * a.k.nb[1], *values = a.v.p + kv * a.v.nb[1];
  int live = max(0, min(*a.live, a.k.ne[2]));
  int splits = min(a.splits, max(1, (live + CELLS_A_SPLIT - 1) / CELLS_A_SPLIT));
  int span = (live + splits - 1) / splits, end = min(live, (split + 1) * span);
  int first = split * span + warp * CELLS;
  int position = *(const int *)(a.queries + t * a.queryStep);
  int sequences = *(const int *)(a.queries + t * a.queryStep + a.queryNext);
  CellKeys<D> k;
  CellValues<D> v;
  if (split < splits && first < end) {
    k.look(a, first, end);
    for (int i = lane; i < CELLS * D / 64; i += 32) {
      int64_t cell = min(first + i / (D / 64), end - 1), part = 128 * (i % (D / 64));
      prefetch(keys + cell * a.k.nb[2] + part);
      prefetch(values + cell * a.v.nb[2] + part);
    }
  }
  awaitPrevious();
  if (split >= splits) return;
  unsigned q[D / 32][4];
  const float *query = (const float *)(a.q.p + at(a.q, 0, h0 + min(lg, shared - 1), t, 0));
#pragma unroll
  for (int j = 0; j < D / 32; j++) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      float2 x = *(const float2 *)(query + 32 * j + 8 * lt + 2 * i);
      q[j][i] = packHalf(x.x * a.scale, x.y * a.scale);
    }
  }
  float o[D / 16][4] = {}, m[2] = {-INFINITY, -INFINITY}, l[2] = {0, 0};
  if (first < end) {
    k.load(a, keys, first, end);
    v.load(a, values, first, end);
  }
  for (int s0 = first; s0 < end; s0 += WARPS * CELLS) {
    float s[4] = {0, 0, 0, 0}, more[4] = {0, 0, 0, 0};
#pragma unroll
    for (int j = 0; j < D / 32; j++) {
      uint4 x = k.key[j][0], y = k.key[j][1];
      unsigned even[4] = {x.x, y.x, x.y, y.y}, odd[4] = {x.z, y.z, x.w, y.w};
      mmaF16(s, even, q[j]);
      mmaF16(more, odd, q[j] + 2);
    }
    bool seen[2];
#pragma unroll
    for (int r = 0; r < 2; r++) {
      int64_t behind = (int64_t)position - k.cell[r];
      seen[r] = s0 + lg + 8 * r < end && (k.owners[r] & sequences) != 0 && behind >= 0 &&
                (a.window == 0 || behind < a.window);
    }
    int next = s0 + WARPS * CELLS;
    if (next < end) {
      k.look(a, next, end);
      k.load(a, keys, next, end);
    }
    unsigned all[2] = {__ballot_sync(~0u, seen[0]), __ballot_sync(~0u, seen[1])};
    float top[2] = {m[0], m[1]};
#pragma unroll
    for (int e = 0; e < 4; e++) {
      float x = s[e] + more[e];
      if (a.softcap > 0) x = capped(x, a.softcap);
      s[e] = seen[e >> 1] ? x : -INFINITY;
      top[e & 1] = fmaxf(top[e & 1], s[e]);
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
#pragma unroll
      for (int step = 4; step < 32; step <<= 1) {
        top[i] = fmaxf(top[i], __shfl_xor_sync(~0u, top[i], step));
      }
    }
    if (__any_sync(~0u, top[0] > m[0] || top[1] > m[1])) {
      float old[2];
#pragma unroll
      for (int i = 0; i < 2; i++) {
        old[i] = top[i] == -INFINITY ? 1 : __expf(m[i] - top[i]);
        m[i] = top[i];
        l[i] *= old[i];
      }
#pragma unroll
      for (int j = 0; j < D / 16; j++) {
#pragma unroll
        for (int e = 0; e < 4; e++) o[j][e] *= old[e & 1];
      }
    }
#pragma unroll
    for (int e = 0; e < 4; e++) {
      s[e] = m[e & 1] == -INFINITY ? 0 : __expf(s[e] - m[e & 1]);
      l[e & 1] += s[e];
    }
    unsigned p[2] = {transposed(packHalf(s[0], s[1])), transposed(packHalf(s[2], s[3]))};
    // A cell that nobody sees may hold anything.
    if ((all[0] & all[1]) != ~0u) {
#pragma unroll
      for (int c = 0; c < 4; c++) {
        bool in = all[c >> 1] >> (4 * (2 * lt + (c & 1))) & 1;
#pragma unroll
        for (int h = 0; h < D / 64; h++) {
          if (!in) v.value[h][c] = make_uint4(0, 0, 0, 0);
        }
      }
    }
#pragma unroll
    for (int h = 0; h < D / 64; h++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        unsigned w[4];
#pragma unroll
        for (int c = 0; c < 4; c += 2) {
          unsigned x = word(v.value[h][c], i), y = word(v.value[h][c + 1], i);
          w[c] = __byte_perm(x, y, 0x5410);
          w[c + 1] = __byte_perm(x, y, 0x7632);
        }
        mmaF16(o[4 * h + i], w, p);
      }
    }
    if (next < end) v.load(a, values, next, end);
  }
#pragma unroll
  for (int i = 0; i < 2; i++) {
#pragma unroll
    for (int step = 4; step < 32; step <<= 1) l[i] += __shfl_xor_sync(~0u, l[i], step);
    int h = 2 * lt + i;
    if (lg == 0) maxima[warp][h] = m[i], norms[warp][h] = l[i];
#pragma unroll
    for (int j = 0; j < D / 16; j += 2) {
      if (h < shared) {
        *(float4 *)&sums[warp][h][64 * (j / 4) + 8 * lg + 2 * (j & 3)] =
            make_float4(o[j][i], o[j][i + 2], o[j + 1][i], o[j + 1][i + 2]);
      }
    }
  }
  __syncthreads();
  const int LANES = D / 4;
  int64_t row0 = (int64_t)t * heads + h0, rows = (int64_t)a.q.ne[2] * heads;
  float *stats = a.parts + rows * a.splits * D;
  for (int i = threadIdx.x; i < shared * LANES; i += blockDim.x) {
    int h = i / LANES, d4 = i % LANES;
    float top = -INFINITY, total = 0;
    float4 x = make_float4(0, 0, 0, 0);
#pragma unroll
    for (int w = 0; w < WARPS; w++) top = fmaxf(top, maxima[w][h]);
#pragma unroll
    for (int w = 0; w < WARPS; w++) {
      float weight = maxima[w][h] == -INFINITY ? 0 : __expf(maxima[w][h] - top);
      total += norms[w][h] * weight;
      addTo(x, weight, ((const float4 *)sums[w][h])[d4]);
    }
    if (splits == 1) {
      float factor = finish(a, h0 + h, top, total);
      putHead<D>(a, row0 + h, d4, x, factor);
    } else {
      int64_t part = (row0 + h) * a.splits + split;
      ((float4 *)a.parts)[part * LANES + d4] = x;
      if (d4 == 0) ((float2 *)stats)[part] = make_float2(top, total);
    }
  }
  if (splits == 1) return;
  __syncthreads();
  if (threadIdx.x == 0) {
    unsigned *counter = a.counters + t * gridDim.x + blockIdx.x;
    last = countUp(counter, splits - 1) == splits - 1;
  }
  __syncthreads();
  if (!last) return;
  // Warps take heads, and share one where there are enough of them.
  const int AT_ONCE = 32 / LANES, LOOKS = MOST_SPLITS / 32, READS = 8;
  int sharing = 1;
  while (2 * sharing * shared <= WARPS) sharing *= 2;
  int h = warp / sharing, d4 = lane % LANES, step = sharing * AT_ONCE;
  float factor = 0;
  float4 x = make_float4(0, 0, 0, 0);
  if (h < shared) {
    int64_t part0 = (row0 + h) * a.splits;
    const float4 *found = (const float4 *)a.parts + part0 * LANES + d4;
    float4 values[READS];
    float2 stat[LOOKS];
    int s0 = warp % sharing * AT_ONCE + lane / LANES;
#pragma unroll
    for (int i = 0; i < LOOKS; i++) {
      int s = lane + 32 * i;
      stat[i] = s < splits ? __ldcg((const float2 *)stats + part0 + s) : make_float2(-INFINITY, 0);
    }
#pragma unroll
    for (int i = 0; i < READS; i++) {
      if (s0 + i * step < splits) values[i] = __ldcg(found + (s0 + i * step) * LANES);
    }
    float top = -INFINITY, total = 0;
#pragma unroll
    for (int i = 0; i < LOOKS; i++) top = fmaxf(top, stat[i].x);
    top = warpMax(top);
#pragma unroll
    for (int i = 0; i < LOOKS; i++) {
      float weight = stat[i].x == -INFINITY ? 0 : __expf(stat[i].x - top);
      weights[warp][lane + 32 * i] = weight;
      total += weight * stat[i].y;
    }
    factor = finish(a, h0 + h, top, warpSum(total));
    __syncwarp();
#pragma unroll
    for (int i = 0; i < READS; i++) {
      if (s0 + i * step < splits) addTo(x, weights[warp][s0 + i * step], values[i]);
    }
#pragma unroll 8
    for (int s = s0 + READS * step; s < splits; s += step) {
      addTo(x, weights[warp][s], __ldcg(found + s * LANES));
    }
  }
  ((float4 *)sums[warp][0])[lane] = x;
  __syncthreads();
  if (h >= shared || warp % sharing != 0 || lane >= LANES) return;
  x = make_float4(0, 0, 0, 0);
  for (int i = 0; i < sharing; i++) {
    for (int j = 0; j < AT_ONCE; j++) {
      addTo(x, 1, ((const float4 *)sums[warp + i][0])[d4 + j * LANES]);
    }
  }
  putHead<D>(a, row0 + h, d4, x, factor);
}

extern "C" __global__ void __launch_bounds__(256) attention_heads_64(Attention a) {
  attendHeads<64>(a);
}
extern "C" __global__ void __launch_bounds__(256) attention_heads_128(Attention a) {
  attendHeads<128>(a);
}
