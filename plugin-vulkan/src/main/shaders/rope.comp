#version 460
// SPDX-License-Identifier: Apache-2.0
// Rotary position embedding. The angle per position of every pair (frequency, interpolation and
// YaRN ramp folded) is a table made in double precision when the plan was compiled.
#include "common.glsl"
layout(constant_id = 1) const uint NEOX = 0;
layout(constant_id = 2) const uint FACTORS = 0;

layout(push_constant) uniform Push {
  uvec2 x;
  uvec2 y;
  uvec2 positions;
  uvec2 angles;
  uvec2 factors;
  uint extent;
  uint heads;
  uint tokens;
  uint dims;
  uint head;   // words
  uint token;  // words
  float scale;
} p;

// Sine and cosine to float precision for |angle| up to 1e6: reduction by pi/2 in three parts,
// minimax polynomials of Cephes' sinf and cosf on [-pi/4, pi/4].
vec2 cosSin(float angle) {
  float turns = roundEven(angle * 0.63661977236758134);
  float r = fma(turns, -1.5703125, angle);
  r = fma(turns, -4.837512969970703125e-4, r);
  r = fma(turns, -7.549789948768648e-8, r);
  float z = r * r;
  float s = fma(fma(fma(fma(-1.9515295891e-4, z, 8.3321608736e-3), z, -1.6666654611e-1), z, 0.0)
      * r, 1.0, r);
  float c = fma(fma(fma(2.443315711809948e-5, z, -1.388731625493765e-3), z,
      4.166664568298827e-2), z * z, 1.0 - 0.5 * z);
  uint quadrant = uint(int(turns)) & 3u;
  vec2 v = (quadrant & 1u) == 0u ? vec2(c, s) : vec2(-s, c);
  return quadrant >= 2u ? -v : v;
}

void main() {
  uint pairs = (p.dims / 2u) + (p.extent - p.dims);
  uint at = flatThread();
  uint i = at % pairs;
  uint h = at / pairs % p.heads;
  uint t = at / pairs / p.heads;
  if (t >= p.tokens) {
    return;
  }
  Floats x = Floats(advance(advance(p.x, t, p.token * 4u), h, p.head * 4u));
  Floats y = Floats(advance(p.y, t * p.heads + h, p.extent * 4u));
  uint half_ = p.dims / 2u;
  if (i >= half_) {
    uint place = p.dims + (i - half_);
    y.d[place] = x.d[place];
    return;
  }
  float angle = float(Ints(p.positions).d[t]) * Floats(p.angles).d[i];
  if (FACTORS == 1u) {
    angle /= Floats(p.factors).d[i];
  }
  vec2 cs = cosSin(angle) * p.scale;
  uint first = NEOX == 1u ? i : 2u * i;
  uint second = NEOX == 1u ? i + half_ : first + 1u;
  float a = x.d[first];
  float b = x.d[second];
  y.d[first] = a * cs.x - b * cs.y;
  y.d[second] = a * cs.y + b * cs.x;
}
