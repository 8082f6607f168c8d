#version 460
// SPDX-License-Identifier: Apache-2.0
// y = a op b with b repeated over a, and the gated units act(a) * b.
#include "common.glsl"
layout(constant_id = 1) const uint OP = 0;
layout(constant_id = 2) const uint FLAT = 0; // 1: a and b contiguous and of one shape

layout(push_constant) uniform Push {
  uvec2 a;
  uvec2 b;
  uvec2 y;
  uint total;
  uint ne0;
  uint ne1;
  uint ne2;
  uint a0; // strides in words
  uint a1;
  uint a2;
  uint a3;
  uint bNe0;
  uint bNe1;
  uint bNe2;
  uint bNe3;
  uint b0;
  uint b1;
  uint b2;
  uint b3;
  float first;
  float second;
} p;

float apply(float a, float b) {
  switch (OP) {
    case 0u: return a + b;
    case 1u: return a - b;
    case 2u: return a * b;
    case 3u: return a / b;
    case 4u: return silu(a) * b;
    case 5u: return gelu(a) * b;
    case 6u: return max(a, 0.0) * b;
    default:
      float gate = min(a, p.second);
      return gate / (1.0 + exp(-p.first * gate)) * (clamp(b, -p.second, p.second) + 1.0);
  }
}

void main() {
  uint at = flatThread();
  if (at >= p.total) {
    return;
  }
  if (FLAT == 1u) {
    Floats(p.y).d[at] = apply(Floats(p.a).d[at], Floats(p.b).d[at]);
    return;
  }
  uint i0 = at % p.ne0;
  uint rest = at / p.ne0;
  uint i1 = rest % p.ne1;
  rest /= p.ne1;
  uint i2 = rest % p.ne2;
  uint i3 = rest / p.ne2;
  float a = Floats(p.a).d[i0 * p.a0 + i1 * p.a1 + i2 * p.a2 + i3 * p.a3];
  float b = Floats(p.b).d[i0 % p.bNe0 * p.b0 + i1 % p.bNe1 * p.b1 + i2 % p.bNe2 * p.b2
      + i3 % p.bNe3 * p.b3];
  Floats(p.y).d[at] = apply(a, b);
}
