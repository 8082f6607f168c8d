#version 460
// SPDX-License-Identifier: Apache-2.0
// variants: TYPE = Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q4_K Q5_K Q6_K Q2_K Q3_K IQ4_NL IQ4_XS
// Decodes rows of weights to F16, for matmulhalves.comp; an invocation 8 values.
#include "common.glsl"
#include "decode.glsl"

layout(push_constant) uniform Push {
  uvec2 w;
  uvec2 halves;
  uint rows;
  uint groups;  // of 8 values in a row
  uint wRow;    // bytes
} p;

void main() {
  uint i = flatThread();
  uint m = i / p.groups;
  uint g = i % p.groups;
  if (m >= p.rows) {
    return;
  }
  vec4 a, b;
  decode8(rowAt(advance(p.w, m, p.wRow)), unitOf(g), halfOf(g), a, b);
  Quads(advance(p.halves, m, p.groups * 16u)).d[g] =
      uvec4(packHalf2x16(a.xy), packHalf2x16(a.zw), packHalf2x16(b.xy), packHalf2x16(b.zw));
}
