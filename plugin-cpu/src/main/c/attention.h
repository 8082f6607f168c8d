// SPDX-License-Identifier: Apache-2.0
// Attention over a cache with an online softmax (Milakov and Gimelshein 2018; Dao et al. 2022), in
// tiles of 64 cells. An item is one key/value head, one tile of queries and one chunk of cells.
//   src: q, k, v, queries, cells, live, sinks   f: scale, softcap   i: window, has sinks
//   a: [0] queries a tile, [1] cells a chunk, [2] chunks, [3] partial results (0: one chunk)
// A partial result of (chunk, t, h) is Dv + 2 floats: values, maximum, sum.
#pragma once
#include "elementwise.h"

#define CELLS 64

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
  int c = 0;
#if defined(__AVX512F__)
  if (cells->nb[0] == 4 && cells->nb[1] == 8) {
    const vi even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const vi odd = vi_or(even, vi_set(1));
    for (; c + 16 <= n; c += 16) {
      const char *from = cells->data + 8 * (c0 + c);
      vi a = vi_load(from), b = vi_load(from + 64), at = _mm512_permutex2var_epi32(a, even, b);
      __mmask16 see = _mm512_test_epi32_mask(_mm512_permutex2var_epi32(a, odd, b), vi_set(mask));
      see &= _mm512_cmple_epi32_mask(at, vi_set(position));
      if (window) see &= _mm512_cmpgt_epi32_mask(at, vi_set(position - window));
      bits |= (uint64_t)see << c;
    }
  }
#endif
  for (; c < n; c++) {
    int32_t at = int_at(cells, 0, c0 + c), of = int_at(cells, 1, c0 + c);
    int64_t behind = (int64_t)position - at;
    int see = (of & mask) != 0 && behind >= 0 && (window == 0 || behind < window);
    bits |= (uint64_t)see << c;
  }
  return bits;
}

// A head's rows lie apart by those of all heads, which processors do not foresee. So the items of a
// chunk ask for the next chunk's rows, each for a part of them as they lie, little by little.
INLINE void fetch(const char *from, int64_t bytes) {
  for (int64_t b = 0; b < bytes; b += 64) __builtin_prefetch(from + b, 0, 2);
}

INLINE int64_t bytes_of(const tensor_t *rows) {
  return rows->ne[0] / consort_block_elements(rows->type) * consort_block_bytes(rows->type);
}

// What to ask for during the tile from cell c0 on: a part of the next chunk, as it lies, or the next
// tile's rows of the head.
INLINE const char *next_rows(const step_t *s, const tensor_t *t, int64_t g, int64_t c0, int64_t from,
    int64_t to) {
  if (!s->a[3]) return t->data + g * t->nb[1] + (c0 + CELLS) * t->nb[2];
  return t->data + to * t->nb[2] + ((to - from) * g + c0 - from) * t->nb[1];
}

// Scores and values of up to so many rows of queries at once: a row of the cache is read once for all.
#define ROWS 4

INLINE vf cached(const int type, const char *row, int64_t j) {
  return type == T_F16 ? vf_from_f16(row + 2 * j) : vf_load((const float *)row + j);
}

// p[r][c] = q[r] . k[c] for `rows` rows and cells c0 .. c0 + cells, which make sixteen sums.
INLINE void scores16(const int type, const int rows, const int cells, const float *q, int64_t d,
    const char *k, int64_t stride, const char *next, float *p) {
  vf v[16];
  if (type == T_F16) fetch(next, 2 * cells * d);
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) v[i] = vf_zero();
#if defined(__AVX512F__)
  for (int64_t j = 0; j < d; j += VL) {
    vf x[ROWS];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) x[r] = vf_load(q + r * d + j);
#pragma GCC unroll 16
    for (int c = 0; c < cells; c++) {
      vf y = cached(type, k + c * stride, j);
#pragma GCC unroll 4
      for (int r = 0; r < rows; r++) v[r * cells + c] = vf_fma(x[r], y, v[r * cells + c]);
    }
  }
#else
  for (int r = 0; r < rows; r++) {  // registers are few: four sums at a time
    for (int c0 = 0; c0 < cells; c0 += 4) {
      vf a[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
      for (int64_t j = 0; j < d; j += VL) {
        vf x = vf_load(q + r * d + j);
#pragma GCC unroll 4
        for (int c = 0; c < 4; c++) a[c] = vf_fma(x, cached(type, k + (c0 + c) * stride, j), a[c]);
      }
      for (int c = 0; c < 4; c++) v[r * cells + c0 + c] = a[c];
    }
  }
#endif
  float sums[16];
  vf_store(sums, hsum16(v));
  for (int r = 0; r < rows; r++) memcpy(p + r * CELLS, sums + r * cells, (size_t)cells * 4);
}

// n is a multiple of 16.
INLINE void scores(const int type, int rows, const float *q, int64_t d, const char *k,
    int64_t stride, int n, const char *next, float *p) {
  switch (rows) {
    case 1: for (int c = 0; c < n; c += 16) {
      scores16(type, 1, 16, q, d, k + c * stride, stride, next + 2 * c * d, p + c);
    } break;
    case 2: for (int c = 0; c < n; c += 8) {
      scores16(type, 2, 8, q, d, k + c * stride, stride, next + 2 * c * d, p + c);
    } break;
    case 3: for (int c = 0; c < n; c += 4) {
      scores16(type, 3, 4, q, d, k + c * stride, stride, next + 2 * c * d, p + c);
    } break;
    default: for (int c = 0; c < n; c += 4) {
      scores16(type, 4, 4, q, d, k + c * stride, stride, next + 2 * c * d, p + c);
    } break;
  }
}

// o[r] = o[r] * old[r] + sum over n cells of p[r][c] * v[c], `width` vectors from element j on.
INLINE void add_values(const int type, const int rows, const int width, const float *p,
    const float *old, const char *v, int64_t stride, int n, const char *next, int64_t dv,
    int64_t j, float *o) {
  vf a[ROWS][4];
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int w = 0; w < width; w++) {
      a[r][w] = vf_mul(vf_load(o + r * dv + j + w * VL), vf_set(old[r]));
    }
  }
  for (int c = 0; c < n; c++) {
    vf x[4];
    if (type == T_F16) fetch(next + 2 * (c * dv + j), 2 * width * VL);
#pragma GCC unroll 4
    for (int w = 0; w < width; w++) x[w] = cached(type, v + c * stride, j + w * VL);
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
      vf s = vf_set(p[r * CELLS + c]);
#pragma GCC unroll 4
      for (int w = 0; w < width; w++) a[r][w] = vf_fma(s, x[w], a[r][w]);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int w = 0; w < width; w++) vf_store(o + r * dv + j + w * VL, a[r][w]);
  }
}

INLINE void values_of(const int type, const int rows, const float *p, const float *old,
    const char *v, int64_t stride, int n, const char *next, int64_t dv, float *o) {
#if defined(__AVX512F__)
  enum { WIDTH = 4 };
#else
  enum { WIDTH = 1 };
#endif
  int64_t j = 0;
  for (; j + WIDTH * VL <= dv; j += WIDTH * VL) {
    add_values(type, rows, WIDTH, p, old, v, stride, n, next, dv, j, o);
  }
  for (; j < dv; j += VL) add_values(type, rows, 1, p, old, v, stride, n, next, dv, j, o);
}

INLINE void values(const int type, int rows, const float *p, const float *old, const char *v,
    int64_t stride, int n, const char *next, int64_t dv, float *o) {
  switch (rows) {
    case 1: values_of(type, 1, p, old, v, stride, n, next, dv, o); break;
    case 2: values_of(type, 2, p, old, v, stride, n, next, dv, o); break;
    case 3: values_of(type, 3, p, old, v, stride, n, next, dv, o); break;
    default: values_of(type, 4, p, old, v, stride, n, next, dv, o); break;
  }
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

// Keys and values of n cells (of a multiple of 16 when floats).
typedef struct {
  int type;
  const char *k, *v;
  int64_t k_stride, v_stride;
  int n;
} tile_t;

// Whether its rows need nothing but conversion.
INLINE int as_it_is(const tensor_t *t) { return t->type == T_F16 && t->ne[0] % VL == 0; }

// A tile as floats, padded to vectors and to sixteen cells; what nobody sees may hold anything and
// becomes zeros.
static tile_t floats(const step_t *s, int64_t g, int64_t c0, int n, uint64_t any,
    const char *next_k, const char *next_v, float *ks, float *vs) {
  const tensor_t *k = &s->src[1], *v = &s->src[2];
  int64_t step_k = k->nb[s->a[3] ? 1 : 2], step_v = v->nb[s->a[3] ? 1 : 2];
  int64_t d = pad16(k->ne[0]), dv = pad16(v->ne[0]);
  int n16 = (int)pad16(n);
  for (int c = 0; c < n; c++) {
    float *kc = ks + c * d, *vc = vs + c * dv;
    const char *kr = k->data + g * k->nb[1] + (c0 + c) * k->nb[2];
    const char *vr = v->data + g * v->nb[1] + (c0 + c) * v->nb[2];
    fetch(next_k + c * step_k, bytes_of(k));
    fetch(next_v + c * step_v, bytes_of(v));
    if (!(any >> c & 1)) {
      memset(kc, 0, (size_t)d * 4);
      memset(vc, 0, (size_t)dv * 4);
      continue;
    }
    dequant_row(k->type, kr, kc, k->ne[0]);
    dequant_row(v->type, vr, vc, v->ne[0]);
    for (int64_t j = k->ne[0]; j < d; j++) kc[j] = 0;
    for (int64_t j = v->ne[0]; j < dv; j++) vc[j] = 0;
  }
  memset(ks + n * d, 0, (size_t)((n16 - n) * d) * 4);
  return (tile_t){T_F32, (const char *)ks, (const char *)vs, 4 * d, 4 * dv, n16};
}

// Turns the scores of n cells into weights, those of unseen cells into 0; returns what the row's
// earlier values are to be multiplied by.
static float weigh(const step_t *s, float *p, int n, uint64_t bits, float *m, float *l) {
  int n16 = (int)pad16(n);
  if (!bits) {
    memset(p, 0, (size_t)n16 * 4);
    return 1;
  }
  if (s->f[1] > 0) {
    for (int c = 0; c < n; c++) p[c] = s->f[1] * tanhf(p[c] / s->f[1]);
  }
  int all = bits == (n == 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1);
  for (int c = 0; !all && c < n; c++) {
    if (!(bits >> c & 1)) p[c] = -INFINITY;
  }
  for (int c = n; c < n16; c++) p[c] = -INFINITY;
  float top = largest(p, n16, *m);
  float old = *m == -INFINITY ? 0 : expf(*m - top);
  vf sum = vf_zero(), vt = vf_set(top);
  for (int c = 0; c < n16; c += VL) vf_store(p + c, vf_exp(vf_sub(vf_load(p + c), vt)));
  for (int c = 0; !all && c < n; c++) if (!(bits >> c & 1)) p[c] = 0;
  for (int c = n; c < n16; c++) p[c] = 0;
  for (int c = 0; c < n16; c += VL) sum = vf_add(sum, vf_load(p + c));
  *l = *l * old + vf_hsum(sum);
  *m = top;
  return old;
}

static void k_attention(const step_t *s, int64_t item, float *room) {
  const tensor_t *q = &s->src[0], *k = &s->src[1], *v = &s->src[2];
  int64_t d = pad16(q->ne[0]), dv = pad16(v->ne[0]), group = q->ne[1] / k->ne[1];
  int64_t tile = s->a[0], tokens = q->ne[2], tiles = (tokens + tile - 1) / tile;
  int64_t groups = k->ne[1], g = item % groups, rest = item / groups;
  int64_t t0 = rest % tiles * tile, chunk = rest / tiles;
  int64_t nt = tokens - t0 < tile ? tokens - t0 : tile, rows = nt * group;
  int64_t live = live_cells(s), from = chunk * s->a[1], to = from + s->a[1];
  if (to > live) to = live;
  if (s->a[3] && from >= live) return;

  float *qs = room, *ks = qs + rows * d, *vs = ks + CELLS * d, *o = vs + CELLS * dv;
  float *p = o + rows * dv, *m = p + ROWS * CELLS, *l = m + rows;
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
    const char *next_k = next_rows(s, k, g, c0, from, to), *next_v = next_rows(s, v, g, c0, from, to);
    tile_t in = {T_F16, k->data + g * k->nb[1] + c0 * k->nb[2],
        v->data + g * v->nb[1] + c0 * v->nb[2], k->nb[2], v->nb[2], n};
    if (rows > 2 * ROWS || ~any || !as_it_is(k) || !as_it_is(v)) {
      in = floats(s, g, c0, n, any, next_k, next_v, ks, vs);
    }
    for (int64_t r = 0; r < rows; r += ROWS) {
      int now = rows - r < ROWS ? (int)(rows - r) : ROWS;
      float old[ROWS];
      if (in.type == T_F16) scores(T_F16, now, qs + r * d, d, in.k, in.k_stride, in.n, next_k, p);
      else scores(T_F32, now, qs + r * d, d, in.k, in.k_stride, in.n, next_k, p);
      for (int i = 0; i < now; i++) {
        old[i] = weigh(s, p + i * CELLS, n, see[(r + i) / group], m + r + i, l + r + i);
      }
      float *or = o + r * dv;
      if (in.type == T_F16) values(T_F16, now, p, old, in.v, in.v_stride, n, next_v, dv, or);
      else values(T_F32, now, p, old, in.v, in.v_stride, n, next_v, dv, or);
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
