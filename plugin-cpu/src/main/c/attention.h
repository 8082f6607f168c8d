// SPDX-License-Identifier: Apache-2.0
// Attention over a cache with an online softmax (Milakov and Gimelshein 2018; Dao et al. 2022), in
// tiles of 64 cells. An item is one key/value head, one tile of queries and one chunk of cells.
//   src: q, k, v, queries, cells, live, sinks   f: scale, softcap   i: window, has sinks
//   a: [0] queries a tile, [1] cells a chunk, [2] chunks, [3] partial results (0: one chunk)
// A partial result of (chunk, t, h) is Dv + 2 floats: values, maximum, sum.
#pragma once
#include "elementwise.h"

#define CELLS 64
#define AHEAD 64

INLINE int32_t int_at(const tensor_t *t, int64_t i0, int64_t i1) {
  int32_t v;
  memcpy(&v, t->data + i0 * t->nb[0] + i1 * t->nb[1], 4);
  return v;
}

static int64_t live_cells(const step_t *s) {
  int32_t live = int_at(&s->src[5], 0, 0);
  int64_t cells = s->src[1].ne[2];
  return live < 0 ? 0 : live > cells ? cells : live;
}

// Bits of the cells c0 .. c0+n that the query sees.
static uint64_t visible(const step_t *s, int64_t t, int64_t c0, int n) {
  int32_t position = int_at(&s->src[3], 0, t), mask = int_at(&s->src[3], 1, t);
  int32_t window = s->i[0];
  const tensor_t *cells = &s->src[4];
  uint64_t bits = 0;
  for (int c = 0; c < n; c++) {
    int32_t at = int_at(cells, 0, c0 + c), of = int_at(cells, 1, c0 + c);
    int64_t behind = (int64_t)position - at;
    int see = (of & mask) != 0 && behind >= 0 && (window == 0 || behind < window);
    bits |= (uint64_t)see << c;
  }
  return bits;
}

// A head's rows lie apart by those of all heads, further than processors look ahead by themselves.
INLINE void prefetch_row(const tensor_t *t, int64_t g, int64_t cell) {
  if (cell >= t->ne[2]) return;
  const char *row = t->data + g * t->nb[1] + cell * t->nb[2];
  for (int64_t b = 0; b < t->ne[0] * t->nb[0]; b += 64) __builtin_prefetch(row + b);
}

// Four cells at a time, so that their sums do not wait for each other.
INLINE void scores16(const float *q, const float *k, int64_t d, float *out) {
  vf v[16];
  for (int c = 0; c < 16; c += 4) {
    const float *k0 = k + c * d, *k1 = k0 + d, *k2 = k1 + d, *k3 = k2 + d;
    vf a0 = vf_zero(), a1 = vf_zero(), a2 = vf_zero(), a3 = vf_zero();
    for (int64_t j = 0; j < d; j += VL) {
      vf x = vf_load(q + j);
      a0 = vf_fma(x, vf_load(k0 + j), a0);
      a1 = vf_fma(x, vf_load(k1 + j), a1);
      a2 = vf_fma(x, vf_load(k2 + j), a2);
      a3 = vf_fma(x, vf_load(k3 + j), a3);
    }
    v[c] = a0;
    v[c + 1] = a1;
    v[c + 2] = a2;
    v[c + 3] = a3;
  }
  vf_store(out, hsum16(v));
}

// The largest of p[0 .. n), n a multiple of 16, and of m; a NaN is passed over.
INLINE float largest(const float *p, int n, float m) {
  vf top = vf_set(m);
  for (int c = 0; c < n; c += VL) top = vf_max(vf_load(p + c), top);
  return vf_hmax(top);
}

static void finish_row(const step_t *s, int64_t t, int64_t h, float *o, float m, float l) {
  const tensor_t *y = &s->dst;
  int64_t dv = y->ne[0];
  float *to = (float *)(y->data + h * y->nb[1] + t * y->nb[2]);
  float factor = 0;
  if (l > 0) {
    factor = 1 / l;
    if (s->i[1]) {
      float sink = at(s->src[6].data, s->src[6].nb[0], h);
      float top = sink > m ? sink : m;
      float old = expf(m - top);
      factor = old / (l * old + expf(sink - top));
    }
  }
  for (int64_t j = 0; j < dv; j++) to[j] = factor == 0 ? 0 : o[j] * factor;
}

static void k_attention(const step_t *s, int64_t item, float *room) {
  const tensor_t *q = &s->src[0], *k = &s->src[1], *v = &s->src[2];
  int64_t d = pad16(q->ne[0]), dv = pad16(v->ne[0]), group = q->ne[1] / k->ne[1];
  int64_t tile = s->a[0], tokens = q->ne[2], tiles = (tokens + tile - 1) / tile;
  int64_t chunk = item % s->a[2], rest = item / s->a[2];
  int64_t t0 = rest % tiles * tile, g = rest / tiles;
  int64_t nt = tokens - t0 < tile ? tokens - t0 : tile, rows = nt * group;
  int64_t live = live_cells(s), from = chunk * s->a[1], to = from + s->a[1];
  if (to > live) to = live;
  if (s->a[3] && from >= live) return;

  float *qs = room, *ks = qs + rows * d, *vs = ks + CELLS * d, *o = vs + CELLS * dv;
  float *p = o + rows * dv, *m = p + CELLS, *l = m + rows;
  memset(o, 0, (size_t)(rows * dv) * 4);
  for (int64_t r = 0; r < rows; r++) {
    m[r] = -INFINITY;
    l[r] = 0;
    const char *row = q->data + (g * group + r % group) * q->nb[1] + (t0 + r / group) * q->nb[2];
    for (int64_t j = 0; j < d; j++) {
      qs[r * d + j] = j < q->ne[0] ? at(row, q->nb[0], j) * s->f[0] : 0;
    }
  }
  uint64_t see[64];
  for (int64_t c0 = from; c0 < to; c0 += CELLS) {
    int n = to - c0 < CELLS ? (int)(to - c0) : CELLS;
    uint64_t any = 0;
    for (int64_t t = 0; t < nt; t++) any |= see[t] = visible(s, t0 + t, c0, n);
    if (!any) continue;
    for (int c = 0; c < n; c++) {
      float *kc = ks + c * d, *vc = vs + c * dv;
      prefetch_row(k, g, c0 + c + AHEAD);
      prefetch_row(v, g, c0 + c + AHEAD);
      dequant_row(k->type, k->data + g * k->nb[1] + (c0 + c) * k->nb[2], kc, k->ne[0]);
      dequant_row(v->type, v->data + g * v->nb[1] + (c0 + c) * v->nb[2], vc, v->ne[0]);
      for (int64_t j = k->ne[0]; j < d; j++) kc[j] = 0;
      for (int64_t j = v->ne[0]; j < dv; j++) vc[j] = 0;
      if (!(any >> c & 1)) {  // what nobody sees may hold anything
        memset(kc, 0, (size_t)d * 4);
        memset(vc, 0, (size_t)dv * 4);
      }
    }
    int n16 = (int)pad16(n);
    memset(ks + n * d, 0, (size_t)((n16 - n) * d) * 4);
    for (int64_t r = 0; r < rows; r++) {
      uint64_t bits = see[r / group];
      if (!bits) continue;
      for (int c = 0; c < n16; c += 16) scores16(qs + r * d, ks + c * d, d, p + c);
      if (s->f[1] > 0) {
        for (int c = 0; c < n; c++) p[c] = s->f[1] * tanhf(p[c] / s->f[1]);
      }
      int all = bits == (n == 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1);
      for (int c = 0; !all && c < n; c++) {
        if (!(bits >> c & 1)) p[c] = -INFINITY;
      }
      for (int c = n; c < n16; c++) p[c] = -INFINITY;
      float top = largest(p, n16, m[r]);
      float old = m[r] == -INFINITY ? 0 : expf(m[r] - top);
      vf sum = vf_zero(), vt = vf_set(top);
      for (int c = 0; c < n16; c += VL) {
        vf e = vf_exp(vf_sub(vf_load(p + c), vt));
        vf_store(p + c, e);
      }
      for (int c = 0; !all && c < n; c++) if (!(bits >> c & 1)) p[c] = 0;
      for (int c = n; c < n16; c++) p[c] = 0;
      for (int c = 0; c < n16; c += VL) sum = vf_add(sum, vf_load(p + c));
      l[r] = l[r] * old + vf_hsum(sum);
      m[r] = top;
      vf vo = vf_set(old);
      float *or = o + r * dv;
      int64_t j = 0;
      for (; j + 4 * VL <= dv; j += 4 * VL) {
        vf a0 = vf_mul(vf_load(or + j), vo), a1 = vf_mul(vf_load(or + j + VL), vo);
        vf a2 = vf_mul(vf_load(or + j + 2 * VL), vo), a3 = vf_mul(vf_load(or + j + 3 * VL), vo);
        for (int c = 0; c < n; c++) {
          vf w = vf_set(p[c]);
          const float *vc = vs + c * dv + j;
          a0 = vf_fma(w, vf_load(vc), a0);
          a1 = vf_fma(w, vf_load(vc + VL), a1);
          a2 = vf_fma(w, vf_load(vc + 2 * VL), a2);
          a3 = vf_fma(w, vf_load(vc + 3 * VL), a3);
        }
        vf_store(or + j, a0);
        vf_store(or + j + VL, a1);
        vf_store(or + j + 2 * VL, a2);
        vf_store(or + j + 3 * VL, a3);
      }
      for (; j < dv; j += VL) {
        vf a = vf_mul(vf_load(or + j), vo);
        for (int c = 0; c < n; c++) a = vf_fma(vf_set(p[c]), vf_load(vs + c * dv + j), a);
        vf_store(or + j, a);
      }
    }
  }
  for (int64_t r = 0; r < rows; r++) {
    int64_t t = t0 + r / group, h = g * group + r % group;
    if (!s->a[3]) {
      finish_row(s, t, h, o + r * dv, m[r], l[r]);
    } else {
      float *part = (float *)s->a[3] + ((chunk * tokens + t) * q->ne[1] + h) * (v->ne[0] + 2);
      memcpy(part, o + r * dv, (size_t)v->ne[0] * 4);
      part[v->ne[0]] = m[r];
      part[v->ne[0] + 1] = l[r];
    }
  }
}

// Joins the chunks' results; an item is one head of one query.
static void k_attention_join(const step_t *s, int64_t item, float *room) {
  int64_t heads = s->src[0].ne[1], dv = s->src[2].ne[0], tokens = s->src[0].ne[2];
  int64_t h = item % heads, t = item / heads;
  int64_t live = live_cells(s), chunks = (live + s->a[1] - 1) / s->a[1];
  float m = -INFINITY, l = 0;
  for (int64_t j = 0; j < dv; j++) room[j] = 0;
  for (int64_t c = 0; c < chunks; c++) {
    const float *part = (const float *)s->a[3] + ((c * tokens + t) * heads + h) * (dv + 2);
    float pm = part[dv], pl = part[dv + 1];
    if (!(pl > 0) && pl == pl) continue;
    float top = pm > m || pm != pm ? pm : m;
    float a = m == -INFINITY ? 0 : expf(m - top), b = expf(pm - top);
    for (int64_t j = 0; j < dv; j++) room[j] = room[j] * a + part[j] * b;
    l = l * a + pl * b;
    m = top;
  }
  finish_row(s, t, h, room, m, l);
}
