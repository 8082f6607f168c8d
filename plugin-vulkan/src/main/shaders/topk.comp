#version 460
// SPDX-License-Identifier: Apache-2.0
// The k largest of a row, descending, the lower index first among equals. One workgroup a row;
// every round finds the largest of what comes after the last one found.
#include "common.glsl"
layout(constant_id = 1) const uint MASKED = 0;

layout(push_constant) uniform Push {
  uvec2 x;
  uvec2 queries;
  uvec2 y;
  uint extent;
  uint rows;
  uint row;  // words
  uint k;
} p;

shared uint keys[64];
shared uint places[64];

// Orders floats as unsigned integers; NaN comes last.
uint keyOf(float value) {
  uint bits = floatBitsToUint(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    return 1u;
  }
  if (bits == 0x80000000u) {
    bits = 0u;
  }
  return (bits & 0x80000000u) != 0u ? ~bits : bits | 0x80000000u;
}

void main() {
  uint row = flatGroup();
  if (row >= p.rows) {
    return;
  }
  Ints y = Ints(advance(p.y, row, p.k * 4u));
  if (MASKED == 1u && Ints(p.queries).d[row * 2u + 1u] == 0) {
    for (uint i = gl_LocalInvocationID.x; i < p.k; i += gl_WorkGroupSize.x) {
      y.d[i] = -1;
    }
    return;
  }
  Floats x = Floats(advance(p.x, row, p.row * 4u));
  uint lastKey = 0xffffffffu;
  uint lastPlace = 0u;
  for (uint round_ = 0; round_ < p.k; round_++) {
    uint key = 0u;
    uint place = 0xffffffffu;
    for (uint i = gl_LocalInvocationID.x; i < p.extent; i += gl_WorkGroupSize.x) {
      uint candidate = keyOf(x.d[i]);
      bool after = round_ == 0u || candidate < lastKey
          || (candidate == lastKey && i > lastPlace);
      if (after && candidate > key) {
        key = candidate;
        place = i;
      }
    }
    uint most = subgroupMax(key);
    uint least = subgroupMin(key == most ? place : 0xffffffffu);
    if (gl_SubgroupInvocationID == 0u) {
      keys[gl_SubgroupID] = most;
      places[gl_SubgroupID] = least;
    }
    barrier();
    lastKey = 0u;
    lastPlace = 0xffffffffu;
    for (uint i = 0; i < gl_NumSubgroups; i++) {
      if (keys[i] > lastKey || (keys[i] == lastKey && places[i] < lastPlace)) {
        lastKey = keys[i];
        lastPlace = places[i];
      }
    }
    barrier();
    if (gl_LocalInvocationID.x == 0u) {
      y.d[round_] = int(lastPlace);
    }
  }
}
