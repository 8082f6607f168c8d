#version 460
// SPDX-License-Identifier: Apache-2.0
// y = x / sqrt(mean(x^2) + eps), times a weight row when WEIGHTED. One workgroup a row.
#include "common.glsl"
#include "reduce.glsl"
layout(constant_id = 1) const uint WEIGHTED = 0;

layout(push_constant) uniform Push {
  uvec2 x;
  uvec2 weight;
  uvec2 y;
  uint extent;
  uint rows;
  uint ne1;
  uint ne2;
  uint nb1; // words
  uint nb2;
  uint nb3;
  float eps;
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
  float sum = 0.0;
  for (uint i = gl_LocalInvocationID.x; i < p.extent; i += gl_WorkGroupSize.x) {
    float value = x.d[i];
    sum = fma(value, value, sum);
  }
  float factor = 1.0 / sqrt(workgroupSum(sum) / float(p.extent) + p.eps);
  Floats y = Floats(advance(p.y, row, p.extent * 4u));
  for (uint i = gl_LocalInvocationID.x; i < p.extent; i += gl_WorkGroupSize.x) {
    float value = x.d[i] * factor;
    y.d[i] = WEIGHTED == 1u ? value * Floats(p.weight).d[i] : value;
  }
}
