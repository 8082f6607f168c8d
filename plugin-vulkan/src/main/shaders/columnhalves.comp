#version 460
// SPDX-License-Identifier: Apache-2.0
// Rounds columns to F16, for matmulhalves.comp; a workgroup a column. Each is scaled by a power of
// two that brings its largest value to 2^14 to 2^15, so that none is too large for F16.
#include "common.glsl"
#include "reduce.glsl"
layout(buffer_reference, std430, buffer_reference_align = 8) buffer Pairs { uvec2 d[]; };

layout(push_constant) uniform Push {
  uvec2 x;
  uvec2 halves;
  uvec2 scales;   // of each column: what its values were divided by
  uint columns;
  uint quarters;  // of a column: runs of 4 values
  uint xColumn;   // words
} p;

void main() {
  uint column = flatGroup();
  if (column >= p.columns) {
    return;
  }
  Vec4s x = Vec4s(advance(p.x, column, p.xColumn * 4u));
  float most = 0.0;
  for (uint i = gl_LocalInvocationID.x; i < p.quarters; i += gl_WorkGroupSize.x) {
    vec4 v = abs(x.d[i]);
    most = max(most, max(max(v.x, v.y), max(v.z, v.w)));
  }
  most = workgroupMax(most);
  int exponent = int(floatBitsToUint(most) >> 23);
  // Zeros, subnormals and infinities stay as they are.
  int shift = exponent < 20 || exponent == 255 ? 0 : exponent - 127 - 14;
  float inverse = uintBitsToFloat(uint(127 - shift) << 23);
  Pairs halves = Pairs(advance(p.halves, column, p.quarters * 8u));
  for (uint i = gl_LocalInvocationID.x; i < p.quarters; i += gl_WorkGroupSize.x) {
    vec4 v = x.d[i] * inverse;
    halves.d[i] = uvec2(packHalf2x16(v.xy), packHalf2x16(v.zw));
  }
  if (gl_LocalInvocationID.x == 0u) {
    Floats(p.scales).d[column] = uintBitsToFloat(uint(127 + shift) << 23);
  }
}
