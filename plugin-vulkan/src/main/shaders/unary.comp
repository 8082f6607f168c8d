#version 460
// SPDX-License-Identifier: Apache-2.0
// y = f(x), with two parameters for scale (factor, bias) and clamp (least, most).
#include "common.glsl"
layout(constant_id = 1) const uint OP = 0;

layout(push_constant) uniform Push {
  uvec2 x;
  uvec2 y;
  uint total;
  uint ne0;
  uint ne1;
  uint ne2;
  uint nb0; // words
  uint nb1;
  uint nb2;
  uint nb3;
  float first;
  float second;
} p;

float apply(float x) {
  switch (OP) {
    case 0u: return silu(x);
    case 1u: return gelu(x);
    case 2u: return x / (1.0 + exp(-1.702 * x));
    case 3u: return x > 0.0 ? x : (x != x ? x : 0.0);
    case 4u: return 1.0 / (1.0 + exp(-x));
    case 5u: return tanhExact(x);
    case 6u: return exp(x);
    case 7u: return -x;
    case 8u: return x * p.first + p.second;
    default: return x != x ? x : clamp(x, p.first, p.second);
  }
}

void main() {
  uint at = flatThread();
  if (at >= p.total) {
    return;
  }
  uint i0 = at % p.ne0;
  uint rest = at / p.ne0;
  uint i1 = rest % p.ne1;
  rest /= p.ne1;
  uint i2 = rest % p.ne2;
  uint i3 = rest / p.ne2;
  Floats(p.y).d[at] = apply(Floats(p.x).d[i0 * p.nb0 + i1 * p.nb1 + i2 * p.nb2 + i3 * p.nb3]);
}
