#version 460
// SPDX-License-Identifier: Apache-2.0
// Sums one axis. Shapes are folded to [inner, axis, outer0, outer1]; one subgroup a value when the axis is
// axis 0, else one invocation.
#include "common.glsl"
#include "reduce.glsl"
layout(constant_id = 1) const uint ROWWISE = 0;

layout(push_constant) uniform Push {
  uvec2 x;
  uvec2 y;
  uint count;   // values of the result
  uint ne0;     // shape of the result
  uint ne1;
  uint ne2;
  uint nb0;     // words, of the source
  uint nb1;
  uint nb2;
  uint nb3;
  uint extent;  // of the summed axis
  uint stride;
} p;

void main() {
  uint at = ROWWISE == 1u ? flatGroup() : flatThread();
  if (at >= p.count) {
    return;
  }
  uint i0 = at % p.ne0;
  uint rest = at / p.ne0;
  uint i1 = rest % p.ne1;
  rest /= p.ne1;
  uint i2 = rest % p.ne2;
  uint i3 = rest / p.ne2;
  Floats x = Floats(advance(p.x, i0 * p.nb0 + i1 * p.nb1 + i2 * p.nb2 + i3 * p.nb3, 4u));
  float sum = 0.0;
  if (ROWWISE == 1u) {
    for (uint i = gl_LocalInvocationID.x; i < p.extent; i += gl_WorkGroupSize.x) {
      sum += x.d[i * p.stride];
    }
    sum = workgroupSum(sum);
    if (gl_LocalInvocationID.x == 0u) {
      Floats(p.y).d[at] = sum;
    }
    return;
  }
  for (uint i = 0; i < p.extent; i++) {
    sum += x.d[i * p.stride];
  }
  Floats(p.y).d[at] = sum;
}
