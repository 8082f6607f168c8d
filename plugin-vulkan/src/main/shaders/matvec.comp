#version 460
// SPDX-License-Identifier: Apache-2.0
// variants: TYPE = F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q4_K Q5_K Q6_K Q2_K Q3_K IQ4_NL IQ4_XS MXFP4
// y = w x for few columns. One subgroup computes ROWS rows of COLUMNS columns; its lanes share
// the row's units. With ids every column picks its own matrix.
#include "common.glsl"
#include "decode.glsl"
layout(constant_id = 1) const uint COLUMNS = 1;
layout(constant_id = 2) const uint ROWS = 1;
layout(constant_id = 3) const uint WITH_IDS = 0;

layout(push_constant) uniform Push {
  uvec2 w;
  uvec2 x;
  uvec2 y;
  uvec2 ids;
  uint rows;
  uint columns;
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
  uint idsStride; // words
} p;

void main() {
  uint subgroup = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  uint firstRow = subgroup * ROWS;
  if (firstRow >= p.rows) {
    return;
  }
  uint column0 = gl_WorkGroupID.y * COLUMNS;
  uint i2 = gl_WorkGroupID.z % p.batch2;
  uint i3 = gl_WorkGroupID.z / p.batch2;
  uvec2 w = p.w;
  uvec2 x = p.x;
  uvec2 y = advance(p.y, gl_WorkGroupID.z, p.rows * p.columns * 4u);
  if (WITH_IDS == 1u) {
    // Columns are (used, token) pairs; x strides are per used slot and per token.
    uint slot = column0 % p.used;
    uint token = column0 / p.used;
    int expert = Ints(p.ids).d[token * p.idsStride + slot];
    if (expert < 0) {
      for (uint r = gl_SubgroupInvocationID; r < ROWS; r += gl_SubgroupSize) {
        if (firstRow + r < p.rows) {
          Floats(advance(y, column0, p.rows * 4u)).d[firstRow + r] = 0.0;
        }
      }
      return;
    }
    w = advance(w, uint(expert), p.wStride2);
    x = advance(advance(x, slot, p.xStride2 * 4u), token, p.xColumn * 4u);
  } else {
    w = advance(advance(w, i2 / p.ratio2, p.wStride2), i3 / p.ratio3, p.wStride3);
    x = advance(advance(x, i2, p.xStride2 * 4u), i3, p.xStride3 * 4u);
  }
  // Addresses, not references: SwiftShader takes no arrays of references.
  uvec2 rows[ROWS];
  for (uint r = 0; r < ROWS; r++) {
    rows[r] = advance(w, min(firstRow + r, p.rows - 1u), p.wRow);
  }
  uvec2 columns[COLUMNS];
  for (uint c = 0; c < COLUMNS; c++) {
    uint column = WITH_IDS == 1u ? 0u : min(column0 + c, p.columns - 1u);
    columns[c] = advance(x, column, p.xColumn * 4u);
  }
  float sums[ROWS * COLUMNS];
  for (uint i = 0; i < ROWS * COLUMNS; i++) {
    sums[i] = 0.0;
  }
  for (uint unit = gl_SubgroupInvocationID; unit < p.units; unit += gl_SubgroupSize) {
    uint at = firstOf(unit) * 2u;
    for (uint r = 0; r < ROWS; r++) {
      vec4 a, b, c, d;
      Row row = rowAt(rows[r]);
      decode8(row, unit, 0u, a, b);
      decode8(row, unit, 1u, c, d);
      for (uint n = 0; n < COLUMNS; n++) {
        Vec4s column = Vec4s(columns[n]);
        sums[r * COLUMNS + n] += dot(a, column.d[at]) + dot(b, column.d[at + 1u])
            + dot(c, column.d[at + SPAN8 * 2u]) + dot(d, column.d[at + SPAN8 * 2u + 1u]);
      }
    }
  }
  for (uint n = 0; n < COLUMNS; n++) {
    for (uint r = 0; r < ROWS; r++) {
      float sum = subgroupAdd(sums[r * COLUMNS + n]);
      if (gl_SubgroupInvocationID == 0u && column0 + n < p.columns && firstRow + r < p.rows) {
        Floats(advance(y, column0 + n, p.rows * 4u)).d[firstRow + r] = sum;
      }
    }
  }
}
