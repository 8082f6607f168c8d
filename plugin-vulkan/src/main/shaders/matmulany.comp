#version 460
// SPDX-License-Identifier: Apache-2.0
// variants: TYPE = F32 F16 BF16
// y = w x for any shape and strides, one value an invocation: the path for rows that are no
// multiple of 16 long, or not aligned.
#include "common.glsl"
#include "decode.glsl"
layout(constant_id = 1) const uint WITH_IDS = 0;

layout(push_constant) uniform Push {
  uvec2 w;
  uvec2 x;
  uvec2 y;
  uvec2 ids;
  uint rows;
  uint columns;
  uint extent;
  uint wElement;  // elements
  uint wRow;      // bytes
  uint wStride2;
  uint wStride3;
  uint xElement;  // words
  uint xColumn;
  uint xStride2;
  uint xStride3;
  uint batch2;
  uint batch3;
  uint ratio2;
  uint ratio3;
  uint used;
  uint idsStride;
} p;

void main() {
  uint at = flatThread();
  uint row = at % p.rows;
  uint column = at / p.rows % p.columns;
  uint batch = at / p.rows / p.columns;
  uint i2 = batch % p.batch2;
  uint i3 = batch / p.batch2;
  if (i3 >= p.batch3) {
    return;
  }
  uvec2 w = advance(p.w, row, p.wRow);
  uvec2 x = p.x;
  if (WITH_IDS == 1u) {
    uint slot = column % p.used;
    uint token = column / p.used;
    int expert = Ints(p.ids).d[token * p.idsStride + slot];
    if (expert < 0) {
      Floats(p.y).d[at] = 0.0;
      return;
    }
    w = advance(w, uint(expert), p.wStride2);
    x = advance(advance(x, slot, p.xStride2 * 4u), token, p.xColumn * 4u);
  } else {
    w = advance(advance(w, i2 / p.ratio2, p.wStride2), i3 / p.ratio3, p.wStride3);
    x = advance(advance(advance(x, column, p.xColumn * 4u), i2, p.xStride2 * 4u), i3,
        p.xStride3 * 4u);
  }
  Row source = rowAt(w);
  Floats values = Floats(x);
  float sum = 0.0;
  for (uint k = 0; k < p.extent; k++) {
    sum = fma(decode1(source, k * p.wElement), values.d[k * p.xElement], sum);
  }
  Floats(p.y).d[at] = sum;
}
