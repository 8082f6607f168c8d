#version 460
// SPDX-License-Identifier: Apache-2.0
// variants: TYPE = F16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q4_K Q5_K Q6_K Q2_K Q3_K IQ4_NL IQ4_XS MXFP4
// matmul.comp on matrix cores: both factors are rounded to F16 in shared memory, sums are F32. Four
// subgroups share a tile of 64 by 64 values, each takes 32 by 32 of it.
#pragma use_vulkan_memory_model
#include "common.glsl"
#include "decode.glsl"
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
layout(constant_id = 1) const uint WITH_IDS = 0;
const uint TILE_M = 64;
const uint TILE_N = 64;
const uint TILE_K = 32;
const uint STRIDE = TILE_K + 8u;

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

shared float16_t tileW[TILE_M * STRIDE];
shared float16_t tileX[TILE_N * STRIDE];
shared float tileY[TILE_N * TILE_M];

float16_t narrow(float value) { return float16_t(clamp(value, -65504.0, 65504.0)); }

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
  coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> y00, y01, y10, y11;
  y00 = y01 = y10 = y11 = coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>(0.0);
  uint partM = (gl_SubgroupID & 1u) * 32u;
  uint partN = (gl_SubgroupID >> 1) * 32u;
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
      uint at = m * STRIDE + g * 8u;
      [[unroll]] for (uint j = 0; j < 4u; j++) {
        tileW[at + j] = narrow(a[j]);
        tileW[at + 4u + j] = narrow(b[j]);
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
      [[unroll]] for (uint j = 0; j < 4u; j++) {
        tileX[n * STRIDE + g * 4u + j] = narrow(a[j]);
      }
    }
    barrier();
    [[unroll]] for (uint k = 0; k < TILE_K; k += 16u) {
      coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA> w0, w1;
      coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB> x0, x1;
      coopMatLoad(w0, tileW, partM * STRIDE + k, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
      coopMatLoad(w1, tileW, (partM + 16u) * STRIDE + k, STRIDE,
          gl_CooperativeMatrixLayoutRowMajor);
      coopMatLoad(x0, tileX, partN * STRIDE + k, STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
      coopMatLoad(x1, tileX, (partN + 16u) * STRIDE + k, STRIDE,
          gl_CooperativeMatrixLayoutColumnMajor);
      y00 = coopMatMulAdd(w0, x0, y00);
      y01 = coopMatMulAdd(w0, x1, y01);
      y10 = coopMatMulAdd(w1, x0, y10);
      y11 = coopMatMulAdd(w1, x1, y11);
    }
    barrier();
  }
  uint corner = partN * TILE_M + partM;
  coopMatStore(y00, tileY, corner, TILE_M, gl_CooperativeMatrixLayoutColumnMajor);
  coopMatStore(y10, tileY, corner + 16u, TILE_M, gl_CooperativeMatrixLayoutColumnMajor);
  coopMatStore(y01, tileY, corner + 16u * TILE_M, TILE_M, gl_CooperativeMatrixLayoutColumnMajor);
  coopMatStore(y11, tileY, corner + 16u * TILE_M + 16u, TILE_M,
      gl_CooperativeMatrixLayoutColumnMajor);
  barrier();
  for (uint i = thread; i < TILE_M * TILE_N; i += gl_WorkGroupSize.x) {
    uint row = firstRow + i % TILE_M;
    uint column = firstColumn + i / TILE_M;
    if (row < p.rows && column < columns) {
      uint place = WITH_IDS == 1u ? Words(list).d[column] : column;
      Floats(advance(y, place, p.rows * 4u)).d[row] = tileY[i];
    }
  }
}
