#version 460
// SPDX-License-Identifier: Apache-2.0
// Lists the (used, token) pairs of every expert for matmul.comp, and zeroes the rows of pairs
// without an expert. One workgroup an expert, and one more for the zeroes.
#include "common.glsl"

layout(push_constant) uniform Push {
  uvec2 ids;
  uvec2 lists;
  uvec2 y;
  uint used;
  uint tokens;
  uint experts;
  uint idsStride; // words
  uint rows;
} p;

shared uint count;

void main() {
  uint expert = gl_WorkGroupID.x;
  uint pairs = p.used * p.tokens;
  if (gl_LocalInvocationID.x == 0u) {
    count = 0u;
  }
  barrier();
  if (expert == p.experts) {
    for (uint pair = 0; pair < pairs; pair++) {
      int id = Ints(p.ids).d[(pair / p.used) * p.idsStride + pair % p.used];
      if (id < 0) {
        Floats target = Floats(advance(p.y, pair, p.rows * 4u));
        for (uint m = gl_LocalInvocationID.x; m < p.rows; m += gl_WorkGroupSize.x) {
          target.d[m] = 0.0;
        }
      }
    }
    return;
  }
  Words list = Words(advance(advance(p.lists, p.experts, 4u), expert, pairs * 4u));
  for (uint pair = gl_LocalInvocationID.x; pair < pairs; pair += gl_WorkGroupSize.x) {
    int id = Ints(p.ids).d[(pair / p.used) * p.idsStride + pair % p.used];
    if (id == int(expert)) {
      list.d[atomicAdd(count, 1u)] = pair;
    }
  }
  barrier();
  if (gl_LocalInvocationID.x == 0u) {
    Words(p.lists).d[expert] = count;
  }
}
