#version 460
// SPDX-License-Identifier: Apache-2.0
// Softmax over axis 0. One workgroup a row.
#include "common.glsl"
#include "reduce.glsl"

layout(push_constant) uniform Push {
  uvec2 x;
  uvec2 y;
  uint extent;
  uint rows;
  uint ne1;
  uint ne2;
  uint nb1; // words
  uint nb2;
  uint nb3;
} p;

void main() {
  uint row = flatGroup();
  if (row >= p.rows) {
    return;
  }
  uint i1 = row % p.ne1;
  uint i2 = row / p.ne1 % p.ne2;
  uint i3 = row / p.ne1 / p.ne2;
  Floats x = Floats(advance(p.x, i1 * p.nb1 + i2 * p.nb2 + i3 * p.nb3, 4u));
  float most = uintBitsToFloat(0xff800000u);
  for (uint i = gl_LocalInvocationID.x; i < p.extent; i += gl_WorkGroupSize.x) {
    most = max(most, x.d[i]);
  }
  most = workgroupMax(most);
  float sum = 0.0;
  for (uint i = gl_LocalInvocationID.x; i < p.extent; i += gl_WorkGroupSize.x) {
    sum += exp(x.d[i] - most);
  }
  sum = workgroupSum(sum);
  Floats y = Floats(advance(p.y, row, p.extent * 4u));
  for (uint i = gl_LocalInvocationID.x; i < p.extent; i += gl_WorkGroupSize.x) {
    y.d[i] = exp(x.d[i] - most) / sum;
  }
}
