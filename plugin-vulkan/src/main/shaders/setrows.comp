#version 460
// SPDX-License-Identifier: Apache-2.0
// state[:, :, ids[t]] = source[:, :, t] for states of F32, F16 or BF16; negative ids drop.
// An invocation writes one 32-bit word; where a row ends inside a word, its half alone.
#include "common.glsl"
layout(constant_id = 1) const uint STATE = 0; // 0 F32, 1 F16, 2 BF16

layout(push_constant) uniform Push {
  uvec2 state;
  uvec2 source;
  uvec2 ids;
  uint inner;        // elements of axis 0
  uint middle;       // elements of axis 1
  uint tokens;
  uint stateMiddle;  // elements
  uint stateRow;     // bytes
  uint sourceMiddle; // words
  uint sourceToken;  // words
  uint stateRows;
} p;

uint narrow(float value) { return STATE == 1u ? toF16(value) : toBf16(value); }

void main() {
  uint per = STATE == 0u ? p.inner : (p.inner + 1u) / 2u;
  uint thread = flatThread();
  uint i = thread % per;
  uint m = thread / per % p.middle;
  uint t = thread / per / p.middle;
  if (t >= p.tokens) {
    return;
  }
  int id = Ints(p.ids).d[t];
  if (id < 0 || uint(id) >= p.stateRows) {
    return;
  }
  Floats source = Floats(advance(advance(p.source, t, p.sourceToken * 4u), m,
      p.sourceMiddle * 4u));
  uvec2 row = advance(p.state, uint(id), p.stateRow);
  if (STATE == 0u) {
    Floats(advance(row, m, p.stateMiddle * 4u)).d[i] = source.d[i];
    return;
  }
  uvec2 address = advance(row, m * p.stateMiddle + i * 2u, 2u);
  uint low = narrow(source.d[i * 2u]);
  bool both = i * 2u + 1u < p.inner;
  uint high = both ? narrow(source.d[i * 2u + 1u]) : 0u;
  Words target = Words(uvec2(address.x & ~3u, address.y));
  if ((address.x & 2u) == 0u && both) {
    target.d[0] = low | (high << 16);
  } else if ((address.x & 2u) == 0u) {
    atomicAnd(target.d[0], 0xffff0000u);
    atomicOr(target.d[0], low);
  } else {
    atomicAnd(target.d[0], 0xffffu);
    atomicOr(target.d[0], low << 16);
    if (both) {
      atomicAnd(target.d[1], 0xffff0000u);
      atomicOr(target.d[1], high);
    }
  }
}
