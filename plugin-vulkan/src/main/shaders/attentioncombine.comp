#version 460
// SPDX-License-Identifier: Apache-2.0
// Joins the splits of attention.comp. One workgroup a head and token.
#include "common.glsl"

layout(push_constant) uniform Push {
  uvec2 parts;  // [value + 2, heads, tokens, splits]
  uvec2 sinks;  // zero: none
  uvec2 y;
  uint heads;
  uint tokens;
  uint splits;
  uint value;
} p;

const float NEVER = -3.0e38;

void main() {
  uint row = flatGroup();
  if (row >= p.heads * p.tokens) {
    return;
  }
  uint step_ = p.heads * p.tokens;
  uint size = (p.value + 2u) * 4u;
  float most = NEVER;
  for (uint s = 0; s < p.splits; s++) {
    Floats part = Floats(advance(p.parts, s * step_ + row, size));
    if (part.d[p.value + 1u] > 0.0) {
      most = max(most, part.d[p.value]);
    }
  }
  bool any_ = most > NEVER;
  bool sunk = any_ && (p.sinks.x | p.sinks.y) != 0u;
  float sink = 0.0;
  if (sunk) {
    sink = Floats(p.sinks).d[row % p.heads];
    most = max(most, sink);
  }
  float weight = sunk ? exp(sink - most) : 0.0;
  for (uint s = 0; s < p.splits; s++) {
    Floats part = Floats(advance(p.parts, s * step_ + row, size));
    float own = part.d[p.value + 1u];
    weight += own > 0.0 ? own * exp(part.d[p.value] - most) : 0.0;
  }
  Floats y = Floats(advance(p.y, row, p.value * 4u));
  for (uint i = gl_LocalInvocationID.x; i < p.value; i += gl_WorkGroupSize.x) {
    float sum = 0.0;
    for (uint s = 0; s < p.splits; s++) {
      Floats part = Floats(advance(p.parts, s * step_ + row, size));
      if (part.d[p.value + 1u] > 0.0) {
        sum += part.d[i] * exp(part.d[p.value] - most);
      }
    }
    y.d[i] = any_ ? sum / weight : 0.0;
  }
}
