// SPDX-License-Identifier: Apache-2.0
// Matrix products with many columns on Hopper: one warp group copies tiles into a ring in shared
// memory, two multiply them. A block takes tile after tile, so that the next ones come in while
// results are written.
#include "device.cuh"
#include "tiles.cuh"
#include "wgmma.cuh"

struct alignas(64) Map {
  char opaque[128];
};

struct MappedTiles {
  Map w[MOST_WEIGHTS];  // [rows, k], boxes of 128 by 64
  Map x;                // [columns, k], boxes of COLUMNS by 64
  TileResults results;
  int tilesM;
  int tilesN;
};

template <int COLUMNS, bool BRAIN>
__device__ __forceinline__ void mappedTiles(const MappedTiles &p) {
  const int SPAN = 64, ROWS = 128, STAGES = COLUMNS == 256 ? 4 : 6;
  const int BYTES_W = ROWS * SPAN * 2, BYTES_X = COLUMNS * SPAN * 2;
  extern __shared__ __align__(128) char memory[];
  __shared__ __align__(8) uint64_t full[STAGES], empty[STAGES];
  char *ws = memory + ((1024 - (sharedAddress(memory) & 1023)) & 1023), *xs = ws + STAGES * BYTES_W;
  const TileResults &r = p.results;
  int group = threadIdx.x >> 7, thread = threadIdx.x & 127;
  int spans = (r.k + SPAN - 1) / SPAN, tiles = p.tilesM * p.tilesN;
  if (threadIdx.x == 0) {
    for (int i = 0; i < STAGES; i++) {
      initBarrier(&full[i], 1);
      initBarrier(&empty[i], 8);
    }
    publishBarriers();
  }
  __syncthreads();
  releaseNext();
  awaitPrevious();
  if (group == 0) {
    giveRegisters<40>();
    if (thread == 0) {
      int stage = 0, turn = 0;
      for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        int m = tile / p.tilesN, n = tile % p.tilesN, segment = 0;
        while (segment + 1 < r.count && m >= r.first[segment + 1]) segment++;
        m -= r.first[segment];
        for (int span = 0; span < spans; span++) {
          awaitBarrier(&empty[stage], turn ^ 1);
          expectBytes(&full[stage], BYTES_W + BYTES_X);
          copyTile(ws + stage * BYTES_W, &p.w[segment], span * SPAN, m * ROWS, &full[stage]);
          copyTile(xs + stage * BYTES_X, &p.x, span * SPAN, n * COLUMNS, &full[stage]);
          if (++stage == STAGES) stage = 0, turn ^= 1;
        }
      }
    }
    return;
  }
  takeRegisters<232>();
  int lane = thread & 31, stage = 0, turn = 0;
  float c[COLUMNS / 2];
  for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    for (int span = 0; span < spans; span++) {
      awaitBarrier(&full[stage], turn);
      uint64_t a = tileDescriptor(ws + stage * BYTES_W + (group - 1) * (BYTES_W / 2));
      uint64_t b = tileDescriptor(xs + stage * BYTES_X);
      beginProducts();
#pragma unroll
      for (int k = 0; k < SPAN / 16; k++) {
        multiply<COLUMNS, BRAIN>(c, a + 2 * k, b + 2 * k, span > 0 || k > 0);
      }
      commitProducts();
      awaitProducts();
      if (lane == 0) arrive(&empty[stage]);
      if (++stage == STAGES) stage = 0, turn ^= 1;
    }
    int m = tile / p.tilesN, n0 = tile % p.tilesN * COLUMNS, segment = 0;
    while (segment + 1 < r.count && m >= r.first[segment + 1]) segment++;
    m = (m - r.first[segment]) * ROWS + (group - 1) * 64 + (thread >> 5) * 16 + (lane >> 2);
    float *result = r.result[segment];
    int64_t step = r.step[segment];
    int rows = r.rows[segment];
#pragma unroll
    for (int j = 0; j < COLUMNS / 8; j++) {
#pragma unroll
      for (int e = 0; e < 2; e++) {
        int n = n0 + 8 * j + 2 * (lane & 3) + e;
        if (n >= r.columns) continue;
        float factor = r.factors[n];
        int64_t at = n * step + m;
        if (m < rows) result[at] = c[4 * j + e] * factor;
        if (m + 8 < rows) result[at + 8] = c[4 * j + 2 + e] * factor;
      }
    }
  }
}

#define MAPPED(name, BRAIN)                                                                     \
  extern "C" __global__ void __launch_bounds__(384, 1)                                          \
      mapped_128_##name(const __grid_constant__ MappedTiles p) {                                \
    mappedTiles<128, BRAIN>(p);                                                                 \
  }                                                                                             \
  extern "C" __global__ void __launch_bounds__(384, 1)                                          \
      mapped_256_##name(const __grid_constant__ MappedTiles p) {                                \
    mappedTiles<256, BRAIN>(p);                                                                 \
  }
MAPPED(f16, false)
MAPPED(bf16, true)
