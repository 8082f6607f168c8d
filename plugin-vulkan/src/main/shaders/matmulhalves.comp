#version 460
// SPDX-License-Identifier: Apache-2.0
// y = w x on matrix cores: both factors are F16, sums F32. Eight subgroups share a tile of 128 by
// 128 values, each takes 64 rows and 32 columns of it. While 32 values of the rows are multiplied
// the next are on their way.
#pragma use_vulkan_memory_model
#include "common.glsl"
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Quads { uvec4 d[]; };
const uint TILE = 128;
const uint GROUPS = 4;                   // of 8 values in a tile's row
const uint STRIDE = 2u * (GROUPS + 1u);  // in four halves: rows fall into banks of their own
const uint SUBGROUPS = 8;

layout(push_constant) uniform Push {
  uvec2 w;       // [rows] of halves
  uvec2 x;       // [columns] of halves, without gaps
  uvec2 y;
  uvec2 scales;  // [columns]
  uint rows;
  uint columns;
  uint groups;   // of 8 values in a row
  uint wRow;     // bytes
  uint yColumn;  // words
} p;

shared f16vec4 tileW[2u * TILE * STRIDE];
shared f16vec4 tileX[2u * TILE * STRIDE];
shared float parts[SUBGROUPS * 256u];

f16vec4 four(uint low, uint high) { return f16vec4(unpackFloat2x16(low), unpackFloat2x16(high)); }

void main() {
  uint thread = gl_LocalInvocationID.x;
  uint firstColumn = gl_WorkGroupID.x * TILE;
  uint firstRow = gl_WorkGroupID.y * TILE;
  uint group = thread % GROUPS;
  uint line = thread / GROUPS;
  Quads w0 = Quads(advance(p.w, min(firstRow + line, p.rows - 1u), p.wRow));
  Quads w1 = Quads(advance(p.w, min(firstRow + line + 64u, p.rows - 1u), p.wRow));
  Quads x0 = Quads(advance(p.x, min(firstColumn + line, p.columns - 1u), p.groups * 16u));
  Quads x1 = Quads(advance(p.x, min(firstColumn + line + 64u, p.columns - 1u), p.groups * 16u));
  uint at0 = line * STRIDE + 2u * group;
  uint at1 = at0 + 64u * STRIDE;
  uint partM = (gl_SubgroupID & 1u) * 64u;
  uint partN = (gl_SubgroupID >> 1) * 32u;
  coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> sums[8];
  [[unroll]] for (uint i = 0; i < 8u; i++) {
    sums[i] = coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>(0.0);
  }
  uvec4 a0, a1, b0, b1;
  for (uint g = 0, turn = 0; g < p.groups + GROUPS; g += GROUPS, turn ^= 1u) {
    bool more = g < p.groups;
    if (more) {
      uvec4 none = uvec4(0u);
      bool in_ = g + group < p.groups;
      a0 = in_ ? w0.d[g + group] : none;
      a1 = in_ ? w1.d[g + group] : none;
      b0 = in_ ? x0.d[g + group] : none;
      b1 = in_ ? x1.d[g + group] : none;
    }
    if (g > 0u) {
      uint base = (turn ^ 1u) * TILE * STRIDE;
      [[unroll]] for (uint k = 0; k < 2u; k++) {
        coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA> a[4];
        coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB> b[2];
        [[unroll]] for (uint i = 0; i < 4u; i++) {
          coopMatLoad(a[i], tileW, base + (partM + 16u * i) * STRIDE + 4u * k, STRIDE,
              gl_CooperativeMatrixLayoutRowMajor);
        }
        [[unroll]] for (uint j = 0; j < 2u; j++) {
          coopMatLoad(b[j], tileX, base + (partN + 16u * j) * STRIDE + 4u * k, STRIDE,
              gl_CooperativeMatrixLayoutColumnMajor);
        }
        [[unroll]] for (uint i = 0; i < 4u; i++) {
          [[unroll]] for (uint j = 0; j < 2u; j++) {
            sums[2u * i + j] = coopMatMulAdd(a[i], b[j], sums[2u * i + j]);
          }
        }
      }
    }
    if (more) {
      uint base = turn * TILE * STRIDE;
      tileW[base + at0] = four(a0.x, a0.y);
      tileW[base + at0 + 1u] = four(a0.z, a0.w);
      tileW[base + at1] = four(a1.x, a1.y);
      tileW[base + at1 + 1u] = four(a1.z, a1.w);
      tileX[base + at0] = four(b0.x, b0.y);
      tileX[base + at0 + 1u] = four(b0.z, b0.w);
      tileX[base + at1] = four(b1.x, b1.y);
      tileX[base + at1 + 1u] = four(b1.z, b1.w);
    }
    barrier();
  }
  uint mine = gl_SubgroupID * 256u;
  [[unroll]] for (uint i = 0; i < 4u; i++) {
    [[unroll]] for (uint j = 0; j < 2u; j++) {
      coopMatStore(sums[2u * i + j], parts, mine, 16u, gl_CooperativeMatrixLayoutColumnMajor);
      subgroupBarrier();
      [[unroll]] for (uint e = 0; e < 256u; e += 32u) {
        uint at = e + gl_SubgroupInvocationID;
        uint row = firstRow + partM + 16u * i + at % 16u;
        uint column = firstColumn + partN + 16u * j + at / 16u;
        if (row < p.rows && column < p.columns) {
          float value = parts[mine + at] * Floats(p.scales).d[column];
          Floats(advance(p.y, column, p.yColumn * 4u)).d[row] = value;
        }
      }
      subgroupBarrier();
    }
  }
}
