// SPDX-License-Identifier: Apache-2.0
// Rotary position embedding, and what is turned and stored ahead of attention.
#pragma once
#include "common.cuh"

struct Rope {
  Tensor x;
  float *result;
  const char *positions;
  const char *factors;  // or null
  int64_t positionStep;
  int64_t factorStep;
  int64_t count;
  double base;  // log2 of the frequency base, by -2 / dims
  float freqScale;
  float extFactor;
  float magnitude;
  float low;
  float high;
  int dims;
  int neox;
};

// The angle of a pair of elements (Su et al., 2021) with YaRN's ramp (Peng et al., 2023). Angles are
// doubles, so that large positions lose nothing.
__device__ __forceinline__ void turn(const Rope &r, int slot, int64_t row, float &sine,
                                     float &cosine) {
  double angle = *(const int *)(r.positions + row * r.positionStep) * exp2(slot * r.base);
  if (r.factors) angle /= *(const float *)(r.factors + slot * r.factorStep);
  float share = 0;
  if (r.extFactor != 0) {
    float y = (slot - r.low) / fmaxf(0.001f, r.high - r.low);
    share = (1.0f - fminf(1.0f, fmaxf(0.0f, y))) * r.extFactor;
  }
  angle *= (double)r.freqScale * (1.0 - share) + share;
  double turns = angle * 0.159154943091895335769;
  sincospif((float)(2 * (turns - rint(turns))), &sine, &cosine);
  sine *= r.magnitude;
  cosine *= r.magnitude;
}

struct Cache {
  Tensor state;  // [elements, heads, cells]
  int type;
};

struct Stored {
  Rope q;
  Rope k;
  Tensor v;  // [elements, heads, tokens]
  Cache keys;
  Cache values;
  const char *slots;
  int64_t slotStep;
  int64_t values0;  // elements of v
};
