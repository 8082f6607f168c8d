#version 460
// SPDX-License-Identifier: Apache-2.0
// variants: SIZE = 64 128
// Attention of many queries over an F16 cache on matrix cores. A workgroup takes 64 queries of a
// head, each of its four subgroups 16, over tiles of 64 cells. A matrix's elements can't be scaled
// row by row, so a first pass over the keys finds each query's maximum and a second one sums up.
#pragma use_vulkan_memory_model
#include "common.glsl"
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define SIZE_64 64u
#define SIZE_128 128u
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Quads { uvec4 d[]; };
const uint QUERIES = 16;             // of a subgroup
const uint SUBGROUPS = 4;
const uint CELLS = 64;
const uint ROW = SIZE / 4u + 2u;     // of a tile, in four halves
const uint SCORES = CELLS + 4u;      // of a query
const uint WEIGHTS = CELLS + 8u;
const float NEVER = -3.0e38;

layout(push_constant) uniform Push {
  uvec2 q;
  uvec2 k;
  uvec2 v;
  uvec2 queries;
  uvec2 cells;
  uvec2 live;
  uvec2 sinks;   // zero: none
  uvec2 y;
  uint heads;
  uint group;    // heads per cache head
  uint capacity;
  uint tokens;
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

shared f16vec4 tile[CELLS * ROW];
shared float scores[SUBGROUPS * QUERIES * SCORES];
shared float16_t weights[SUBGROUPS * QUERIES * WEIGHTS];
shared float factors[SUBGROUPS * QUERIES];
shared ivec2 cellsOfTile[CELLS];
shared int latest;
shared int masks;
shared uint seen;

coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA> query[SIZE / 16u];

// What a lane knows of its query; two lanes share one, with half of the cells each.
int position;
int mask;
uint line;
uint half_;

f16vec4 four(uint low, uint high) { return f16vec4(unpackFloat2x16(low), unpackFloat2x16(high)); }

// Reads the cells' positions and sequences; false if no query sees any of them.
bool look(uint first, uint live) {
  uint thread = gl_LocalInvocationID.x;
  barrier();
  if (thread == 0u) {
    seen = 0u;
  }
  barrier();
  if (thread < CELLS) {
    ivec2 cell = ivec2(0);
    if (first + thread < live) {
      uint at = (first + thread) * 2u;
      cell = ivec2(Ints(p.cells).d[at], Ints(p.cells).d[at + 1u]);
    }
    cellsOfTile[thread] = cell;
    if ((cell.y & masks) != 0 && cell.x <= latest) {
      atomicOr(seen, 1u);
    }
  }
  barrier();
  return seen != 0u;
}

void fill(uvec2 cache, uint step_, uint first, uint live) {
  for (uint i = gl_LocalInvocationID.x; i < CELLS * SIZE / 8u; i += gl_WorkGroupSize.x) {
    uint row = i / (SIZE / 8u);
    uint at = i % (SIZE / 8u);
    uvec4 a = uvec4(0u);
    if (first + row < live) {
      a = Quads(advance(cache, first + row, step_)).d[at];
    }
    tile[row * ROW + 2u * at] = four(a.x, a.y);
    tile[row * ROW + 2u * at + 1u] = four(a.z, a.w);
  }
  barrier();
}

// The subgroup's queries by the keys in the tile.
void multiply() {
  uint mine = gl_SubgroupID * QUERIES * SCORES;
  [[unroll]] for (uint j = 0; j < CELLS / 16u; j++) {
    coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> sum =
        coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>(0.0);
    [[unroll]] for (uint i = 0; i < SIZE / 16u; i++) {
      coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB> key;
      coopMatLoad(key, tile, 16u * j * ROW + 4u * i, ROW, gl_CooperativeMatrixLayoutColumnMajor);
      sum = coopMatMulAdd(query[i], key, sum);
    }
    coopMatStore(sum, scores, mine + 16u * j, SCORES, gl_CooperativeMatrixLayoutRowMajor);
  }
  subgroupBarrier();
}

// The score of the lane's query for a cell of the tile, or NEVER.
float scoreOf(uint cell) {
  ivec2 c = cellsOfTile[cell];
  bool visible = (c.y & mask) != 0 && c.x <= position
      && (p.window == 0 || position - c.x < p.window);
  float s = scores[(gl_SubgroupID * QUERIES + line) * SCORES + cell];
  if (p.softcap > 0.0) {
    s = p.softcap * tanhExact(s / p.softcap);
  }
  return visible ? s : NEVER;
}

// Lanes begin at different cells, so that they read from different banks.
uint cellOf(uint i) { return 32u * half_ + ((i + (line >> 3) + 2u * half_) & 31u); }

void main() {
  uint thread = gl_LocalInvocationID.x;
  uint lane = gl_SubgroupInvocationID;
  uint head = gl_WorkGroupID.x;
  line = lane & 15u;
  half_ = lane >> 4;
  uint token = (gl_WorkGroupID.y * SUBGROUPS + gl_SubgroupID) * QUERIES + line;
  bool real = token < p.tokens;
  position = real ? Ints(p.queries).d[token * 2u] : 0;
  mask = real ? Ints(p.queries).d[token * 2u + 1u] : 0;
  if (thread == 0u) {
    latest = -1;
    masks = 0;
  }
  barrier();
  if (mask != 0) {
    atomicMax(latest, position);
    atomicOr(masks, mask);
  }
  uint live = min(uint(max(Ints(p.live).d[0], 0)), p.capacity);
  uvec2 k = advance(p.k, head / p.group, p.kHead);
  uvec2 v = advance(p.v, head / p.group, p.vHead);

  uint mine = gl_SubgroupID * QUERIES * WEIGHTS;
  Floats q = Floats(advance(advance(p.q, min(token, p.tokens - 1u), p.qToken * 4u), head,
      p.qHead * 4u));
  [[unroll]] for (uint part = 0; part < SIZE; part += CELLS) {
    for (uint i = 0; i < 32u; i++) {
      uint at = 32u * half_ + i;
      weights[mine + line * WEIGHTS + at] = float16_t(q.d[part + at] * p.scale);
    }
    subgroupBarrier();
    [[unroll]] for (uint i = 0; i < CELLS / 16u; i++) {
      coopMatLoad(query[part / 16u + i], weights, mine + 16u * i, WEIGHTS,
          gl_CooperativeMatrixLayoutRowMajor);
    }
    subgroupBarrier();
  }

  float most = NEVER;
  for (uint first = 0; first < live; first += CELLS) {
    if (look(first, live)) {
      fill(k, p.kCell, first, live);
      multiply();
      for (uint i = 0; i < 32u; i++) {
        most = max(most, scoreOf(cellOf(i)));
      }
    }
  }
  most = max(most, subgroupShuffleXor(most, 16u));

  coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> sums[SIZE / 16u];
  [[unroll]] for (uint i = 0; i < SIZE / 16u; i++) {
    sums[i] = coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>(0.0);
  }
  float weight = 0.0;
  for (uint first = 0; first < live; first += CELLS) {
    if (look(first, live)) {
      fill(k, p.kCell, first, live);
      multiply();
      for (uint i = 0; i < 32u; i++) {
        uint cell = cellOf(i);
        float s = scoreOf(cell);
        float e = s == NEVER ? 0.0 : exp(s - most);
        weight += e;
        weights[mine + line * WEIGHTS + cell] = float16_t(e);
      }
      barrier();
      fill(v, p.vCell, first, live);
      [[unroll]] for (uint j = 0; j < CELLS / 16u; j++) {
        coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA> share;
        coopMatLoad(share, weights, mine + 16u * j, WEIGHTS, gl_CooperativeMatrixLayoutRowMajor);
        [[unroll]] for (uint i = 0; i < SIZE / 16u; i++) {
          coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB> value;
          coopMatLoad(value, tile, 16u * j * ROW + 4u * i, ROW, gl_CooperativeMatrixLayoutRowMajor);
          sums[i] = coopMatMulAdd(share, value, sums[i]);
        }
      }
    }
  }
  weight += subgroupShuffleXor(weight, 16u);

  float fade = 1.0;
  if ((p.sinks.x | p.sinks.y) != 0u && weight > 0.0) {
    float sink = Floats(p.sinks).d[head];
    float newMost = max(most, sink);
    fade = exp(most - newMost);
    weight = weight * fade + exp(sink - newMost);
  }
  if (half_ == 0u) {
    factors[gl_SubgroupID * QUERIES + line] = weight > 0.0 ? fade / weight : 0.0;
  }
  uint stage = gl_SubgroupID * QUERIES * SCORES;
  uint firstToken = (gl_WorkGroupID.y * SUBGROUPS + gl_SubgroupID) * QUERIES;
  [[unroll]] for (uint i = 0; i < SIZE / 16u; i++) {
    subgroupBarrier();
    coopMatStore(sums[i], scores, stage, SCORES, gl_CooperativeMatrixLayoutRowMajor);
    subgroupBarrier();
    [[unroll]] for (uint e = 0; e < 256u; e += 32u) {
      uint row = (e + lane) / 16u;
      uint at = lane % 16u;
      if (firstToken + row < p.tokens) {
        Floats(advance(p.y, (firstToken + row) * p.heads + head, SIZE * 4u)).d[16u * i + at] =
            scores[stage + row * SCORES + at] * factors[gl_SubgroupID * QUERIES + row];
      }
    }
  }
}
