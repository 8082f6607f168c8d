// SPDX-License-Identifier: Apache-2.0
// Rotary embedding with YaRN's ramp: Su et al. 2021, Peng et al. 2023.
#pragma once
#include "elementwise.h"

// x[D,H,T], positions, optional factors. i: neox, dims, has factors, original context.
// f: freqBase, freqScale, extFactor, attnFactor, betaFast, betaSlow. An item is one token.
static void k_rope(const step_t *s, int64_t item, float *room) {
  const tensor_t *x = &s->src[0], *y = &s->dst;
  int dims = s->i[1], neox = s->i[0];
  float base = s->f[0], scale = s->f[1], ext = s->f[2];
  int32_t position;
  memcpy(&position, s->src[1].data + item * s->src[1].nb[0], 4);
  double low = 0, high = 0;
  if (ext != 0) {
    double per = dims / (2 * log((double)base));
    double two_pi = 6.283185307179586;
    low = floor(per * log(s->i[3] / (s->f[4] * two_pi)));
    high = ceil(per * log(s->i[3] / (s->f[5] * two_pi)));
    low = low < 0 ? 0 : low;
    high = high > dims - 1 ? dims - 1 : high;
  }
  int half = dims / 2;
  float *cosines = room, *sines = room + half, *gathered = room + dims;
  for (int j = 0; j < half; j++) {
    double factor = s->i[2] ? at(s->src[2].data, 4, j) : 1.0;
    double extra = position * pow((double)base, -2.0 * j / dims) / factor;
    double inter = scale * extra, theta = inter, magnitude = s->f[3];
    if (ext != 0) {
      double span = high - low < 0.001 ? 0.001 : high - low;
      double ramp = (j - low) / span;
      ramp = 1 - (ramp < 0 ? 0 : ramp > 1 ? 1 : ramp);
      double mix = ramp * ext;
      theta = inter * (1 - mix) + extra * mix;
      magnitude *= 1.0 + 0.1 * log(1.0 / scale);
    }
    cosines[j] = (float)(cos(theta) * magnitude);
    sines[j] = (float)(sin(theta) * magnitude);
  }
  for (int64_t h = 0; h < x->ne[1]; h++) {
    index_t i = {h, item % x->ne[2], item / x->ne[2]};
    const float *from = dense_row(x, i, gathered);
    float *to = (float *)row_at(y, i);
    if (neox) {
      for (int j = 0; j < half; j++) {
        float a = from[j], b = from[j + half];
        to[j] = a * cosines[j] - b * sines[j];
        to[j + half] = a * sines[j] + b * cosines[j];
      }
    } else {
      for (int j = 0; j < half; j++) {
        float a = from[2 * j], b = from[2 * j + 1];
        to[2 * j] = a * cosines[j] - b * sines[j];
        to[2 * j + 1] = a * sines[j] + b * cosines[j];
      }
    }
    for (int64_t j = dims; j < x->ne[0]; j++) to[j] = from[j];
  }
}
