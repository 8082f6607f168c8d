#version 460
// SPDX-License-Identifier: Apache-2.0
// variants: TYPE = F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q4_K Q5_K Q6_K Q2_K Q3_K IQ4_NL IQ4_XS MXFP4
// y[:, i, b] = table[:, ids[i, b], b]; a negative id gives zeros.
#include "common.glsl"
#include "decode.glsl"

layout(push_constant) uniform Push {
  uvec2 table;
  uvec2 ids;
  uvec2 y;
  uint extent;
  uint count;
  uint batches;
  uint row;       // bytes
  uint batch;     // bytes
  uint idsStride; // words
} p;

#if TYPE == TYPE_F32 || TYPE == TYPE_F16 || TYPE == TYPE_BF16
#define STEP 1
#else
#define STEP 8
#endif

void main() {
  uint steps = p.extent / STEP;
  uint thread = flatThread();
  uint step_ = thread % steps;
  uint i = thread / steps % p.count;
  uint b = thread / steps / p.count;
  if (b >= p.batches) {
    return;
  }
  int id = Ints(p.ids).d[b * p.idsStride + i];
  Row row = rowAt(advance(advance(p.table, b, p.batch), uint(max(id, 0)), p.row));
  Floats target = Floats(advance(p.y, b * p.count + i, p.extent * 4u));
#if STEP == 1
  target.d[step_] = id < 0 ? 0.0 : decode1(row, step_);
#else
  vec4 first = vec4(0.0);
  vec4 second = vec4(0.0);
  if (id >= 0) {
    decode8(row, unitOf(step_), halfOf(step_), first, second);
  }
  for (uint j = 0; j < 4u; j++) {
    target.d[step_ * 8u + j] = first[j];
    target.d[step_ * 8u + 4u + j] = second[j];
  }
#endif
}
