// SPDX-License-Identifier: Apache-2.0
// The steps that make up matrix products.
#pragma once
#include "elementwise.h"
#include "matmul_dot.h"
#include "matmul_fixed.h"
#include "matmul_packed.h"

// src[0]: activations; a: [1] where to, [2] 1: every column its own tile. An item is a column.
static void k_quantize(const step_t *s, int64_t item, float *room, int wide) {
  const tensor_t *x = &s->src[0];
  int64_t k = x->ne[0], columns = rows_of(x);
  int width = s->a[2] ? 1 : tile_width(columns);
  int64_t first = item / width * width;
  int n = columns - first < width ? (int)(columns - first) : width;
  char *tile = (char *)s->a[1] + first * column_bytes(k, wide);
  const float *row = dense_row(x, row_index(x, item), room);
  if (wide) quantize_column256(row, k, tile, n, (int)(item - first));
  else quantize_column32(row, k, tile, n, (int)(item - first));
}

// Rows of w as floats or as they are, ready for dot_block.
typedef struct { int type; const char *data; int64_t stride; } rows_t;

static rows_t ready_rows(int type, const char *w, int64_t wb, int64_t rows, int64_t k,
    float *room) {
  if (type == T_F32 || type == T_F16 || type == T_BF16) return (rows_t){type, w, wb};
  for (int64_t r = 0; r < rows; r++) dequant_row(type, w + r * wb, room + r * k, k);
  return (rows_t){T_F32, (const char *)room, k * 4};
}

#define SUM_ROOM(rows) ((rows) * DOT_COLS * VL)

// src[0]: activations; a[1]: where their tiles go; i[0]: 1 for weights of 16 bits. An item is a
// column.
static void k_tiles(const step_t *s, int64_t item, float *room) {
  const tensor_t *x = &s->src[0];
  int64_t k = x->ne[0], columns = rows_of(x), c0 = item / DOT_COLS * DOT_COLS;
  int n = columns - c0 < DOT_COLS ? (int)(columns - c0) : DOT_COLS;
  const float *row = dense_row(x, row_index(x, item), room);
#if defined(__AVX512F__)
  if (s->i[0]) {
    char *fixed = (char *)s->a[1] + c0 * fixed_blocks(k) * FIXED_COLUMN;
    fixed_column(row, k, fixed, n, (int)(item - c0));
    return;
  }
#endif
  float *tile = (float *)s->a[1] + c0 * pad16(k);
  put_in_tile(T_F32, (const char *)row, k, tile, n, (int)(item - c0), room);
}

// src: w (one matrix), x; a: [0] rows an item, [1] tiles of x; i[0]: as in k_tiles.
static void k_matmul_tiles(const step_t *s, int64_t item, float *room) {
  const tensor_t *w = &s->src[0], *x = &s->src[1], *y = &s->dst;
  int64_t m = w->ne[1], r0 = item * s->a[0], rows = m - r0 < s->a[0] ? m - r0 : s->a[0];
  const char *wr = w->data + r0 * w->nb[1];
  float *yr = (float *)y->data + r0;
  int64_t k = w->ne[0], ldy = y->nb[1] / 4;
#if defined(__AVX512F__)
  if (s->i[0]) {
    fixed_tiles(w->type, wr, w->nb[1], rows, (const char *)s->a[1], x->ne[1], k, yr, ldy, room);
    return;
  }
#endif
  int64_t most = TILED_FLOATS / pad16(k) / 4 * 4;
  if (most < 4) most = 4;
  for (int64_t r = 0; r < rows; r += most) {
    int64_t now = rows - r < most ? rows - r : most;
    dot_tiles(w->type, wr + r * w->nb[1], w->nb[1], now, (const float *)s->a[1], x->ne[1], k,
        yr + r, ldy, room);
  }
}

// src: w, x; a: [0] rows an item. Items: batches of x times row blocks.
static void k_matmul_dot(const step_t *s, int64_t item, float *room) {
  const tensor_t *w = &s->src[0], *x = &s->src[1], *y = &s->dst;
  int64_t m = w->ne[1], block = s->a[0], blocks = (m + block - 1) / block;
  int64_t batch = item / blocks, r0 = item % blocks * block;
  int64_t rows = m - r0 < block ? m - r0 : block;
  int64_t i2 = batch % x->ne[2], i3 = batch / x->ne[2];
  const char *wd = w->data + i2 / (x->ne[2] / w->ne[2]) * w->nb[2]
      + i3 / (x->ne[3] / w->ne[3]) * w->nb[3] + r0 * w->nb[1];
  rows_t ready = ready_rows(w->type, wd, w->nb[1], rows, w->ne[0], room + SUM_ROOM(block));
  const char *xd = x->data + i2 * x->nb[2] + i3 * x->nb[3];
  float *yd = (float *)(y->data + i2 * y->nb[2] + i3 * y->nb[3]) + r0;
  dot_block(ready.type, ready.data, ready.stride, rows, xd, x->nb[1], x->ne[1], w->ne[0], yd,
      y->nb[1] / 4, room);
}

// src: w (packed, one matrix), x (its columns flat); a: [0] panels an item, [1] quantised columns,
// [2] 1: goes on from what the result holds, and every row is in a panel.
// Items: runs of panels, then one for the rows that fill no panel.
static void k_matmul_packed(const step_t *s, int64_t item, float *room) {
  const tensor_t *w = &s->src[0], *x = &s->src[1], *y = &s->dst;
  int64_t k = w->ne[0], m = w->ne[1], panels = m / 16, each = s->a[0];
  int64_t row_bytes = k / consort_block_elements(w->type) * consort_block_bytes(w->type);
  int64_t p0 = item * each, columns = x->ne[1], ldy = y->nb[1] / 4;
  float *yd = (float *)y->data;
  const float *on = s->a[2] ? yd : NULL;
  if (p0 < panels) {
    packed_t kernels = packed_kernels(w->type);
    int count = (int)(panels - p0 < each ? panels - p0 : each);
    packed_panels(&kernels, w->type, w->data + p0 * 16 * row_bytes, count, k,
        (const char *)s->a[1], columns, on ? on + 16 * p0 : NULL, yd + 16 * p0, ldy,
        (char *)room);
  } else {
    int64_t r0 = panels * 16, rows = m - r0;
    rows_t ready = ready_rows(w->type, w->data + r0 * row_bytes, row_bytes, rows, k,
        room + SUM_ROOM(16));
    dot_block(ready.type, ready.data, ready.stride, rows, x->data, x->nb[1], columns, k, yd + r0,
        ldy, room);
  }
}

// ---- one matrix for each row ----

// What S_GROUP leaves: which experts are used, and by which rows of the result.
typedef struct { int32_t active, experts; int32_t data[]; } groups_t;

INLINE int32_t *active_experts(groups_t *g) { return g->data; }
INLINE int32_t *starts(groups_t *g) { return g->data + g->experts; }
INLINE int32_t *pairs(groups_t *g) { return g->data + 2 * g->experts + 1; }

// src[0]: ids[U,T]; dst: the product's result, whose rows without an expert are zeroed;
// a: [1] where to, [2] experts. One item.
static void k_group(const step_t *s) {
  const tensor_t *ids = &s->src[0], *y = &s->dst;
  groups_t *g = (groups_t *)s->a[1];
  int32_t x = (int32_t)s->a[2];
  g->experts = x;
  int32_t *start = starts(g);
  memset(start, 0, (size_t)(x + 1) * 4);
  for (int64_t t = 0; t < ids->ne[1]; t++) {
    for (int64_t u = 0; u < ids->ne[0]; u++) {
      int32_t id;
      memcpy(&id, ids->data + u * ids->nb[0] + t * ids->nb[1], 4);
      if (id >= 0 && id < x) start[id + 1]++;
      else memset(y->data + u * y->nb[1] + t * y->nb[2], 0, (size_t)y->ne[0] * 4);
    }
  }
  g->active = 0;
  for (int32_t e = 0; e < x; e++) {
    if (start[e + 1]) active_experts(g)[g->active++] = e;
    start[e + 1] += start[e];
  }
  int32_t *pair = pairs(g);
  for (int64_t t = 0; t < ids->ne[1]; t++) {
    for (int64_t u = 0; u < ids->ne[0]; u++) {
      int32_t id;
      memcpy(&id, ids->data + u * ids->nb[0] + t * ids->nb[1], 4);
      if (id >= 0 && id < x) pair[start[id]++] = (int32_t)(t * ids->ne[0] + u);
    }
  }
  for (int32_t e = x; e > 0; e--) start[e] = start[e - 1];
  start[0] = 0;
}

INLINE int64_t id_blocks(const step_t *s) {
  int64_t m = s->src[0].ne[1], each = s->a[0];
  return s->i[0] ? (m / 16 + each - 1) / each + (m % 16 != 0) : (m + each - 1) / each;
}

static int64_t matmul_id_items(const step_t *s) {
  return ((const groups_t *)s->a[2])->active * id_blocks(s);
}

// src: w[K,M,X], x[K,1 or U,T], ids; i: [0] packed; a: [0] panels or rows an item, [1] quantised
// columns, a tile each, [2] groups.
static void k_matmul_id(const step_t *s, int64_t item, float *room) {
  const tensor_t *w = &s->src[0], *x = &s->src[1], *ids = &s->src[2], *y = &s->dst;
  groups_t *g = (groups_t *)s->a[2];
  int64_t blocks = id_blocks(s), each = s->a[0], block = item % blocks;
  int32_t e = active_experts(g)[item / blocks];
  int64_t k = w->ne[0], m = w->ne[1], used = ids->ne[0], panels = m / 16;
  int64_t row_bytes = k / consort_block_elements(w->type) * consort_block_bytes(w->type);
  const char *wd = w->data + e * (s->i[0] ? m * row_bytes : w->nb[2]);
  int32_t n = starts(g)[e + 1] - starts(g)[e];
  const int32_t *pair = pairs(g) + starts(g)[e];
  if (s->i[0] && block * each < panels) {
    packed_t kernels = packed_kernels(w->type);
    int wide = kernels.elements == 256;
    int64_t p0 = block * each, cb = column_bytes(k, wide);
    int count = (int)(panels - p0 < each ? panels - p0 : each);
    const char *panel = wd + p0 * 16 * row_bytes;
    enum { AT_ONCE = 24 };
    float *out = room;
    char *gathered = (char *)(room + AT_ONCE * 16 * each);
    char *open = gathered + AT_ONCE * cb;
    for (int32_t c = 0; c < n; c += AT_ONCE) {
      int now = n - c < AT_ONCE ? n - c : AT_ONCE;
      int width = tile_width(now);
      int64_t unit = wide ? 340 : 40, steps = cb / unit;
      for (int j = 0; j < now; j++) {
        int64_t t = pair[c + j] / used, column = x->ne[1] == 1 ? t : pair[c + j];
        const char *from = (const char *)s->a[1] + column * cb;
        int first = j / width * width, tn = now - first < width ? now - first : width;
        char *tile = gathered + first * cb;
        for (int64_t b = 0; b < steps; b++) {
          const char *f = from + b * unit;
          char *to = tile + b * unit * tn + 4 * (j - first);
          for (int z = 0; z < unit / 4; z++) memcpy(to + 4 * tn * z, f + 4 * z, 4);
        }
      }
      packed_panels(&kernels, w->type, panel, count, k, gathered, now, NULL, out, 16 * count, open);
      for (int j = 0; j < now; j++) {
        int64_t t = pair[c + j] / used, u = pair[c + j] % used;
        memcpy(y->data + u * y->nb[1] + t * y->nb[2] + p0 * 64, out + j * 16 * count,
            (size_t)count * 64);
      }
    }
    return;
  }
  int64_t r0 = s->i[0] ? panels * 16 : block * each, last = s->i[0] ? m : r0 + each;
  int64_t rows = (last < m ? last : m) - r0, wb = s->i[0] ? row_bytes : w->nb[1];
  rows_t ready = ready_rows(w->type, wd + r0 * wb, wb, rows, k, room + SUM_ROOM(rows));
  for (int32_t c = 0; c < n; c++) {
    int64_t t = pair[c] / used, u = pair[c] % used;
    const char *xd = x->data + t * x->nb[2] + (x->ne[1] == 1 ? 0 : u * x->nb[1]);
    float *yd = (float *)(y->data + u * y->nb[1] + t * y->nb[2]) + r0;
    dot_block(ready.type, ready.data, ready.stride, rows, xd, 0, 1, k, yd, 0, room);
  }
}
