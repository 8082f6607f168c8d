#version 460
// SPDX-License-Identifier: Apache-2.0
// variants: TYPE = F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q4_K Q5_K Q6_K Q2_K Q3_K IQ4_NL IQ4_XS MXFP4
// y = w x for many columns, in tiles of shared memory; F32 throughout. With ids the columns of
// one expert come from the lists that group.comp made.
#include "common.glsl"
#include "decode.glsl"
layout(constant_id = 1) const uint TILE_M = 64;
layout(constant_id = 2) const uint TILE_N = 32;
layout(constant_id = 3) const uint WITH_IDS = 0;
layout(constant_id = 4) const uint THREAD_M = 4;
layout(constant_id = 5) const uint THREAD_N = 4;
layout(constant_id = 6) const uint TILE_K = 32;

layout(push_constant) uniform Push {
  uvec2 w;
  uvec2 x;
  uvec2 y;
  uvec2 lists;    // with ids: [experts] counts, then [experts][pairs] pairs
  uint rows;
  uint columns;   // with ids: (used, token) pairs
  uint units;
  uint wRow;      // bytes
  uint wStride2;  // bytes
  uint wStride3;  // bytes
  uint xColumn;   // words
  uint xStride2;
  uint xStride3;
  uint batch2;
  uint ratio2;
  uint ratio3;
  uint used;      // with ids: experts per token
  uint experts;
} p;

// One more than the tile, so that neighbours in a store fall into banks of their own.
shared float tileW[TILE_K * (TILE_M + 1)];
shared float tileX[TILE_K * (TILE_N + 1)];

void main() {
  uint thread = gl_LocalInvocationID.x;
  uint firstRow = gl_WorkGroupID.x * TILE_M;
  uint firstColumn = gl_WorkGroupID.y * TILE_N;
  uint batch = gl_WorkGroupID.z;
  uint columns = p.columns;
  uvec2 w = p.w;
  uvec2 x = p.x;
  uvec2 y = p.y;
  uvec2 list = p.lists;
  if (WITH_IDS == 1u) {
    columns = Words(p.lists).d[batch];
    list = advance(advance(p.lists, p.experts, 4u), batch, p.columns * 4u);
    w = advance(w, batch, p.wStride2);
  } else {
    uint i2 = batch % p.batch2;
    uint i3 = batch / p.batch2;
    w = advance(advance(w, i2 / p.ratio2, p.wStride2), i3 / p.ratio3, p.wStride3);
    x = advance(advance(x, i2, p.xStride2 * 4u), i3, p.xStride3 * 4u);
    y = advance(y, batch, p.rows * p.columns * 4u);
  }
  if (firstColumn >= columns) {
    return;
  }
  // A thread's rows and columns are spread over the tile: neighbours read neighbouring words.
  uint stepM = TILE_M / THREAD_M;
  uint stepN = TILE_N / THREAD_N;
  uint threadM = thread % stepM;
  uint threadN = thread / stepM;
  float sums[THREAD_M * THREAD_N];
  for (uint i = 0; i < THREAD_M * THREAD_N; i++) {
    sums[i] = 0.0;
  }
  uint groups = p.units * 2u;
  for (uint k8 = 0; k8 < groups; k8 += TILE_K / 8u) {
    for (uint i = thread; i < TILE_M * (TILE_K / 8u); i += gl_WorkGroupSize.x) {
      uint m = i / (TILE_K / 8u);
      uint g = i % (TILE_K / 8u);
      vec4 a = vec4(0.0);
      vec4 b = vec4(0.0);
      if (k8 + g < groups && firstRow + m < p.rows) {
        Row row = rowAt(advance(w, firstRow + m, p.wRow));
        decode8(row, unitOf(k8 + g), halfOf(k8 + g), a, b);
      }
      for (uint j = 0; j < 4u; j++) {
        tileW[(g * 8u + j) * (TILE_M + 1u) + m] = a[j];
        tileW[(g * 8u + 4u + j) * (TILE_M + 1u) + m] = b[j];
      }
    }
    for (uint i = thread; i < TILE_N * (TILE_K / 4u); i += gl_WorkGroupSize.x) {
      uint n = i / (TILE_K / 4u);
      uint g = i % (TILE_K / 4u);
      vec4 a = vec4(0.0);
      if (k8 * 2u + g < groups * 2u && firstColumn + n < columns) {
        uvec2 at;
        if (WITH_IDS == 1u) {
          uint pair = Words(list).d[firstColumn + n];
          at = advance(advance(x, pair % p.used, p.xStride2 * 4u), pair / p.used,
              p.xColumn * 4u);
        } else {
          at = advance(x, firstColumn + n, p.xColumn * 4u);
        }
        a = Vec4s(at).d[k8 * 2u + g];
      }
      for (uint j = 0; j < 4u; j++) {
        tileX[(g * 4u + j) * (TILE_N + 1u) + n] = a[j];
      }
    }
    barrier();
    for (uint k = 0; k < TILE_K; k++) {
      float a[THREAD_M];
      float b[THREAD_N];
      for (uint m = 0; m < THREAD_M; m++) {
        a[m] = tileW[k * (TILE_M + 1u) + threadM + m * stepM];
      }
      for (uint n = 0; n < THREAD_N; n++) {
        b[n] = tileX[k * (TILE_N + 1u) + threadN + n * stepN];
      }
      for (uint n = 0; n < THREAD_N; n++) {
        for (uint m = 0; m < THREAD_M; m++) {
          sums[n * THREAD_M + m] = fma(a[m], b[n], sums[n * THREAD_M + m]);
        }
      }
    }
    barrier();
  }
  for (uint n = 0; n < THREAD_N; n++) {
    uint column = firstColumn + threadN + n * stepN;
    if (column >= columns) {
      continue;
    }
    uint place = WITH_IDS == 1u ? Words(list).d[column] : column;
    Floats target = Floats(advance(y, place, p.rows * 4u));
    for (uint m = 0; m < THREAD_M; m++) {
      uint row = firstRow + threadM + m * stepM;
      if (row < p.rows) {
        target.d[row] = sums[n * THREAD_M + m];
      }
    }
  }
}
