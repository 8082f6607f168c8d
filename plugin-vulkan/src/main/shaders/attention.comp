#version 460
// SPDX-License-Identifier: Apache-2.0
// variants: CACHE = F32 F16 BF16
// Attention with an online softmax. One subgroup takes one query of one head and every
// splits-th block of cells: its lanes score a cell each, then share the value's elements.
// With several splits, attentioncombine.comp joins the partial results.
#include "common.glsl"
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_KHR_shader_subgroup_vote : require
#define CACHE_F32 0
#define CACHE_F16 1
#define CACHE_BF16 2
layout(constant_id = 1) const uint LANES = 32; // the subgroup's size
layout(constant_id = 2) const uint KEY = 128;
layout(constant_id = 3) const uint VALUE = 128;

layout(push_constant) uniform Push {
  uvec2 q;
  uvec2 k;
  uvec2 v;
  uvec2 queries;
  uvec2 cells;
  uvec2 live;
  uvec2 sinks;   // zero: none
  uvec2 y;       // with one split the result, else [VALUE + 2, heads, tokens, splits]
  uint heads;
  uint group;    // heads per cache head
  uint capacity;
  uint splits;
  uint qHead;    // words
  uint qToken;
  uint kHead;    // bytes
  uint kCell;
  uint vHead;
  uint vCell;
  float scale;
  float softcap;
  int window;
} p;

const uint PER_LANE = (VALUE + LANES - 1u) / LANES;
const float NEVER = -3.0e38;

#if CACHE == CACHE_F32
float element(Words row, uint i) { return uintBitsToFloat(row.d[i]); }
#elif CACHE == CACHE_F16
float element(Words row, uint i) { return f16((row.d[i >> 1] >> ((i & 1u) * 16u)) & 0xffffu); }
#else
float element(Words row, uint i) {
  uint word = row.d[i >> 1];
  return uintBitsToFloat((i & 1u) == 0u ? word << 16 : word & 0xffff0000u);
}
#endif

float score(Floats q, Words k) {
  float sum = 0.0;
#if CACHE == CACHE_F32
  for (uint i = 0; i < KEY; i++) {
    sum = fma(q.d[i], uintBitsToFloat(k.d[i]), sum);
  }
#else
  for (uint i = 0; i < KEY / 2u; i++) {
    uint word = k.d[i];
#if CACHE == CACHE_F16
    vec2 pair = unpackHalf2x16(word);
#else
    vec2 pair = uintBitsToFloat(uvec2(word << 16, word & 0xffff0000u));
#endif
    sum = fma(q.d[2u * i], pair.x, sum);
    sum = fma(q.d[2u * i + 1u], pair.y, sum);
  }
#endif
  return sum;
}

void main() {
  uint head = gl_WorkGroupID.x;
  uint token = gl_WorkGroupID.y;
  uint split = gl_WorkGroupID.z;
  uint lane = gl_SubgroupInvocationID;
  int position = Ints(p.queries).d[token * 2u];
  int mask = Ints(p.queries).d[token * 2u + 1u];
  uint live = min(uint(max(Ints(p.live).d[0], 0)), p.capacity);
  Floats q = Floats(advance(advance(p.q, token, p.qToken * 4u), head, p.qHead * 4u));
  uvec2 k = advance(p.k, head / p.group, p.kHead);
  uvec2 v = advance(p.v, head / p.group, p.vHead);
  float sums[PER_LANE];
  for (uint i = 0; i < PER_LANE; i++) {
    sums[i] = 0.0;
  }
  float most = NEVER;
  float weight = 0.0;
  for (uint block = split * LANES; block < live; block += p.splits * LANES) {
    uint cell = block + lane;
    bool visible = false;
    if (cell < live) {
      int cellPosition = Ints(p.cells).d[cell * 2u];
      visible = (Ints(p.cells).d[cell * 2u + 1u] & mask) != 0 && cellPosition <= position
          && (p.window == 0 || position - cellPosition < p.window);
    }
    if (!subgroupAny(visible)) {
      continue;
    }
    float s = NEVER;
    if (visible) {
      s = score(q, Words(advance(k, cell, p.kCell))) * p.scale;
      if (p.softcap > 0.0) {
        s = p.softcap * tanhExact(s / p.softcap);
      }
    }
    float newMost = max(most, subgroupMax(s));
    float fade = exp(most - newMost);
    float e = visible ? exp(s - newMost) : 0.0;
    weight = weight * fade + subgroupAdd(e);
    most = newMost;
    for (uint i = 0; i < PER_LANE; i++) {
      sums[i] *= fade;
    }
    uint count = min(LANES, live - block);
    for (uint j = 0; j < count; j++) {
      float share = subgroupShuffle(e, j);
      if (share == 0.0) {
        continue;
      }
      Words row = Words(advance(v, block + j, p.vCell));
      for (uint i = 0; i < PER_LANE; i++) {
        uint at = i * LANES + lane;
        if (at < VALUE) {
          sums[i] = fma(share, element(row, at), sums[i]);
        }
      }
    }
  }
  if (p.splits > 1u) {
    Floats y = Floats(advance(p.y, (split * gl_NumWorkGroups.y + token) * p.heads + head,
        (VALUE + 2u) * 4u));
    for (uint i = 0; i < PER_LANE; i++) {
      uint at = i * LANES + lane;
      if (at < VALUE) {
        y.d[at] = sums[i];
      }
    }
    if (lane == 0u) {
      y.d[VALUE] = most;
      y.d[VALUE + 1u] = weight;
    }
    return;
  }
  float fade = 1.0;
  if ((p.sinks.x | p.sinks.y) != 0u && weight > 0.0) {
    float sink = Floats(p.sinks).d[head];
    float newMost = max(most, sink);
    fade = exp(most - newMost);
    weight = weight * fade + exp(sink - newMost);
  }
  float factor = weight > 0.0 ? fade / weight : 0.0;
  Floats y = Floats(advance(p.y, token * p.heads + head, VALUE * 4u));
  for (uint i = 0; i < PER_LANE; i++) {
    uint at = i * LANES + lane;
    if (at < VALUE) {
      y.d[at] = sums[i] * factor;
    }
  }
}
