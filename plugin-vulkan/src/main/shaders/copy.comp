#version 460
// SPDX-License-Identifier: Apache-2.0
// Contiguous copy of a strided tensor, F32, F16, BF16 or I32 to any of these but I32.
// An invocation writes one 32-bit word.
#include "common.glsl"
layout(constant_id = 1) const uint FROM = 0; // 0 32 bits, 1 F16, 2 BF16
layout(constant_id = 2) const uint TO = 0;

layout(push_constant) uniform Push {
  uvec2 source;
  uvec2 target;
  uint ne0;
  uint ne1;
  uint ne2;
  uint total;
  uint nb0; // elements
  uint nb1;
  uint nb2;
  uint nb3;
} p;

float value(uint index) {
  uint i0 = index % p.ne0;
  uint rest = index / p.ne0;
  uint i1 = rest % p.ne1;
  rest /= p.ne1;
  uint i2 = rest % p.ne2;
  uint at = i0 * p.nb0 + i1 * p.nb1 + i2 * p.nb2 + (rest / p.ne2) * p.nb3;
  if (FROM == 0u) {
    return Floats(p.source).d[at];
  }
  // The source may begin in the middle of a word.
  uint half_ = at + ((p.source.x >> 1) & 1u);
  uint word = Words(uvec2(p.source.x & ~3u, p.source.y)).d[half_ >> 1];
  uint bits = (word >> ((half_ & 1u) * 16u)) & 0xffffu;
  return FROM == 1u ? f16(bits) : bf16(bits);
}
uint narrow(float value) { return TO == 1u ? toF16(value) : toBf16(value); }

void main() {
  uint at = flatThread();
  if (TO == 0u) {
    if (at < p.total) {
      Floats(p.target).d[at] = value(at);
    }
    return;
  }
  if (at * 2u >= p.total) {
    return;
  }
  uint low = narrow(value(at * 2u));
  if (at * 2u + 1u < p.total) {
    Words(p.target).d[at] = low | (narrow(value(at * 2u + 1u)) << 16);
  } else {
    // The word's other half is not this tensor's.
    Words target = Words(p.target);
    target.d[at] = (target.d[at] & 0xffff0000u) | low;
  }
}
