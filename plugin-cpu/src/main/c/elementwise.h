// SPDX-License-Identifier: Apache-2.0
// Operations that go row by row (runs along axis 0), or element by element.
#pragma once
#include <math.h>
#include "dequant.h"

typedef struct { int64_t i1, i2, i3; } index_t;

INLINE index_t row_index(const tensor_t *t, int64_t row) {
  int64_t i1 = row % t->ne[1], rest = row / t->ne[1];
  return (index_t){i1, rest % t->ne[2], rest / t->ne[2]};
}
INLINE char *row_at(const tensor_t *t, index_t i) {
  return t->data + i.i1 * t->nb[1] + i.i2 * t->nb[2] + i.i3 * t->nb[3];
}
INLINE int64_t rows_of(const tensor_t *t) { return t->ne[1] * t->ne[2] * t->ne[3]; }
INLINE float at(const char *row, int64_t nb0, int64_t j) {
  float v;
  memcpy(&v, row + j * nb0, 4);
  return v;
}

// A row of x as consecutive floats: the row itself, or gathered into `room`.
INLINE const float *dense_row(const tensor_t *x, index_t i, float *room) {
  const char *row = row_at(x, i);
  if (x->nb[0] == 4) return (const float *)row;
  for (int64_t j = 0; j < x->ne[0]; j++) room[j] = at(row, x->nb[0], j);
  return room;
}

INLINE vf v_sigmoid(vf x) {
  vf one = vf_set(1);
  return vf_div(one, vf_add(one, vf_exp(vf_sub(vf_zero(), x))));
}
INLINE vf v_gelu(vf x) {  // 0.5 x (1 + tanh(u)) = x sigmoid(2u)
  vf x2 = vf_mul(x, x);
  vf u = vf_mul(vf_mul(x, vf_set(1.5957691216057308f)),
      vf_fma(x2, vf_set(0.044715f), vf_set(1)));
  return vf_mul(x, v_sigmoid(u));
}

enum { U_SILU, U_GELU, U_GELU_QUICK, U_RELU, U_SIGMOID, U_TANH, U_EXP, U_NEG };

INLINE vf v_unary(int kind, vf x) {
  switch (kind) {
    case U_SILU: return vf_mul(x, v_sigmoid(x));
    case U_GELU: return v_gelu(x);
    case U_GELU_QUICK: return vf_mul(x, v_sigmoid(vf_mul(x, vf_set(1.702f))));
    case U_RELU: return vf_max(vf_zero(), x);
    case U_SIGMOID: return v_sigmoid(x);
    case U_TANH: {
      float t[VL];
      vf_store(t, x);
      for (int j = 0; j < VL; j++) t[j] = tanhf(t[j]);
      return vf_load(t);
    }
    case U_EXP: return vf_exp(x);
    default: return vf_sub(vf_set(-0.0f), x);
  }
}

enum { G_SWIGLU, G_GEGLU, G_REGLU, G_SWIGLU_LIMITED };

INLINE vf v_glu(int kind, vf g, vf u, float alpha, float limit) {
  switch (kind) {
    case G_SWIGLU: return vf_mul(vf_mul(g, v_sigmoid(g)), u);
    case G_GEGLU: return vf_mul(v_gelu(g), u);
    case G_REGLU: return vf_mul(vf_max(vf_zero(), g), u);
    default: {
      vf gl = vf_min(vf_set(limit), g);
      vf ul = vf_max(vf_set(-limit), vf_min(vf_set(limit), u));
      return vf_mul(vf_mul(gl, v_sigmoid(vf_mul(gl, vf_set(alpha)))), vf_add(ul, vf_set(1)));
    }
  }
}

#define EACH(n, BODY)                                      \
  do {                                                     \
    int64_t j = 0;                                         \
    for (; j + VL <= (n); j += VL) {                       \
      BODY(vf_load, , vf_store, )                          \
    }                                                      \
    if (j < (n)) {                                         \
      int left = (int)((n)-j);                             \
      BODY(vf_load_n, COMMA left, vf_store_n, COMMA left)  \
    }                                                      \
  } while (0)
#define COMMA ,

// Rows of an item: so many that an item is worth taking.
INLINE int64_t item_rows(const step_t *s) { return s->a[0]; }

static void k_unary(const step_t *s, int64_t item, float *room) {
  const tensor_t *x = &s->src[0], *y = &s->dst;
  int64_t n = y->ne[0], end = (item + 1) * item_rows(s), rows = rows_of(y);
  for (int64_t r = item * item_rows(s); r < end && r < rows; r++) {
    index_t i = row_index(y, r);
    const float *from = dense_row(x, i, room);
    float *to = (float *)row_at(y, i);
#define UNARY(LOAD, LN, STORE, SN) STORE(to + j, v_unary(s->i[0], LOAD(from + j LN)) SN);
    EACH(n, UNARY);
  }
}

static void k_scale(const step_t *s, int64_t item, float *room) {
  const tensor_t *x = &s->src[0], *y = &s->dst;
  int64_t n = y->ne[0], end = (item + 1) * item_rows(s), rows = rows_of(y);
  vf a = vf_set(s->f[0]), b = vf_set(s->f[1]);
  for (int64_t r = item * item_rows(s); r < end && r < rows; r++) {
    index_t i = row_index(y, r);
    const float *from = dense_row(x, i, room);
    float *to = (float *)row_at(y, i);
    if (s->i[0]) {  // zeros, whatever was there
      memset(to, 0, (size_t)n * 4);
      continue;
    }
#define SCALE(LOAD, LN, STORE, SN) STORE(to + j, vf_add(vf_mul(LOAD(from + j LN), a), b) SN);
    EACH(n, SCALE);
  }
}

static void k_clamp(const step_t *s, int64_t item, float *room) {
  const tensor_t *x = &s->src[0], *y = &s->dst;
  int64_t n = y->ne[0], end = (item + 1) * item_rows(s), rows = rows_of(y);
  vf lo = vf_set(s->f[0]), hi = vf_set(s->f[1]);
  for (int64_t r = item * item_rows(s); r < end && r < rows; r++) {
    index_t i = row_index(y, r);
    const float *from = dense_row(x, i, room);
    float *to = (float *)row_at(y, i);
#define CLAMP(LOAD, LN, STORE, SN) STORE(to + j, vf_min(hi, vf_max(lo, LOAD(from + j LN))) SN);
    EACH(n, CLAMP);
  }
}

static void k_glu(const step_t *s, int64_t item, float *room) {
  const tensor_t *y = &s->dst;
  int64_t n = y->ne[0], end = (item + 1) * item_rows(s), rows = rows_of(y);
  for (int64_t r = item * item_rows(s); r < end && r < rows; r++) {
    index_t i = row_index(y, r);
    const float *g = dense_row(&s->src[0], i, room), *u = dense_row(&s->src[1], i, room + n);
    float *to = (float *)row_at(y, i);
#define GLU(LOAD, LN, STORE, SN) \
  STORE(to + j, v_glu(s->i[0], LOAD(g + j LN), LOAD(u + j LN), s->f[0], s->f[1]) SN);
    EACH(n, GLU);
  }
}

enum { B_ADD, B_SUB, B_MUL, B_DIV };

INLINE vf v_binary(int kind, vf a, vf b) {
  switch (kind) {
    case B_ADD: return vf_add(a, b);
    case B_SUB: return vf_sub(a, b);
    case B_MUL: return vf_mul(a, b);
    default: return vf_div(a, b);
  }
}

static void k_binary(const step_t *s, int64_t item, float *room) {
  const tensor_t *a = &s->src[0], *b = &s->src[1], *y = &s->dst;
  int64_t n = y->ne[0], end = (item + 1) * item_rows(s), rows = rows_of(y);
  for (int64_t r = item * item_rows(s); r < end && r < rows; r++) {
    index_t i = row_index(y, r);
    const float *p = dense_row(a, i, room);
    index_t ib = {i.i1 % b->ne[1], i.i2 % b->ne[2], i.i3 % b->ne[3]};
    float *to = (float *)row_at(y, i);
    if (b->ne[0] == n) {
      const float *q = dense_row(b, ib, room + n);
#define BINARY(LOAD, LN, STORE, SN) \
  STORE(to + j, v_binary(s->i[0], LOAD(p + j LN), LOAD(q + j LN)) SN);
      EACH(n, BINARY);
    } else if (b->ne[0] == 1) {
      vf q = vf_set(at(row_at(b, ib), 4, 0));
#define BINARY1(LOAD, LN, STORE, SN) STORE(to + j, v_binary(s->i[0], LOAD(p + j LN), q) SN);
      EACH(n, BINARY1);
    } else {
      const float *q = dense_row(b, ib, room + n);
      float *wide = room + 2 * n;
      for (int64_t j = 0; j < n; j++) wide[j] = q[j % b->ne[0]];
#define BINARYM(LOAD, LN, STORE, SN) \
  STORE(to + j, v_binary(s->i[0], LOAD(p + j LN), LOAD(wide + j LN)) SN);
      EACH(n, BINARYM);
    }
  }
}

// Sums of squares in sixteen lanes of doubles' worth of care: pairwise over two accumulators.
INLINE float sum_squares(const float *x, int64_t n) {
  vf s0 = vf_zero(), s1 = vf_zero();
  int64_t j = 0;
  for (; j + 2 * VL <= n; j += 2 * VL) {
    vf a = vf_load(x + j), b = vf_load(x + j + VL);
    s0 = vf_fma(a, a, s0);
    s1 = vf_fma(b, b, s1);
  }
  for (; j < n; j += VL) {
    vf a = n - j < VL ? vf_load_n(x + j, (int)(n - j)) : vf_load(x + j);
    s0 = vf_fma(a, a, s0);
  }
  return vf_hsum(vf_add(s0, s1));
}

// RmsNorm, times src[1] where i[0] is 1 (a row that every row is multiplied with).
static void k_rms_norm(const step_t *s, int64_t item, float *room) {
  const tensor_t *x = &s->src[0], *y = &s->dst;
  int64_t n = y->ne[0], end = (item + 1) * item_rows(s), rows = rows_of(y);
  for (int64_t r = item * item_rows(s); r < end && r < rows; r++) {
    index_t i = row_index(y, r);
    const float *from = dense_row(x, i, room);
    float *to = (float *)row_at(y, i);
    vf f = vf_set(1.0f / sqrtf(sum_squares(from, n) / (float)n + s->f[0]));
    if (s->i[0]) {
      const tensor_t *b = &s->src[1];
      index_t ib = {i.i1 % b->ne[1], i.i2 % b->ne[2], i.i3 % b->ne[3]};
      const float *w = (const float *)row_at(b, ib);
#define NORM_MUL(LOAD, LN, STORE, SN) \
  STORE(to + j, vf_mul(vf_mul(LOAD(from + j LN), f), LOAD(w + j LN)) SN);
      EACH(n, NORM_MUL);
    } else {
#define NORM(LOAD, LN, STORE, SN) STORE(to + j, vf_mul(LOAD(from + j LN), f) SN);
      EACH(n, NORM);
    }
  }
}

static void k_soft_max(const step_t *s, int64_t item, float *room) {
  const tensor_t *x = &s->src[0], *y = &s->dst;
  int64_t n = y->ne[0], end = (item + 1) * item_rows(s), rows = rows_of(y);
  for (int64_t r = item * item_rows(s); r < end && r < rows; r++) {
    index_t i = row_index(y, r);
    const float *from = dense_row(x, i, room);
    float *to = (float *)row_at(y, i);
    float max = -INFINITY;
    for (int64_t j = 0; j < n; j++) max = from[j] > max ? from[j] : max;
    vf m = vf_set(max), sum = vf_zero();
    int64_t j = 0;
    for (; j + VL <= n; j += VL) {
      vf e = vf_exp(vf_sub(vf_load(from + j), m));
      sum = vf_add(sum, e);
      vf_store(to + j, e);
    }
    float total = vf_hsum(sum);
    if (j < n) {
      float t[VL];
      vf_store(t, vf_exp(vf_sub(vf_load_n(from + j, (int)(n - j)), m)));
      for (int64_t l = 0; l < n - j; l++) {
        to[j + l] = t[l];
        total += t[l];
      }
    }
    for (j = 0; j < n; j++) to[j] /= total;
  }
}

// Sum over axis i[0]; items are rows of the result.
static void k_sum(const step_t *s, int64_t item, float *room) {
  const tensor_t *x = &s->src[0], *y = &s->dst;
  int axis = s->i[0];
  int64_t n = y->ne[0], end = (item + 1) * item_rows(s), rows = rows_of(y);
  for (int64_t r = item * item_rows(s); r < end && r < rows; r++) {
    index_t i = row_index(y, r);
    float *to = (float *)row_at(y, i);
    if (axis == 0) {
      const float *from = dense_row(x, i, room);
      vf sum = vf_zero();
      int64_t j = 0;
      for (; j + VL <= x->ne[0]; j += VL) sum = vf_add(sum, vf_load(from + j));
      float total = vf_hsum(sum);
      for (; j < x->ne[0]; j++) total += from[j];
      to[0] = total;
    } else {
      for (int64_t j = 0; j < n; j++) to[j] = 0;
      for (int64_t a = 0; a < x->ne[axis]; a++) {
        index_t ia = i;
        *(axis == 1 ? &ia.i1 : axis == 2 ? &ia.i2 : &ia.i3) = a;
        const float *from = dense_row(x, ia, room);
#define SUM(LOAD, LN, STORE, SN) STORE(to + j, vf_add(LOAD(to + j LN), LOAD(from + j LN)) SN);
        EACH(n, SUM);
      }
    }
  }
}

static void k_copy(const step_t *s, int64_t item, float *room) {
  const tensor_t *x = &s->src[0], *y = &s->dst;
  int64_t n = y->ne[0], end = (item + 1) * item_rows(s), rows = rows_of(y);
  int bytes = consort_block_bytes(x->type);
  for (int64_t r = item * item_rows(s); r < end && r < rows; r++) {
    index_t i = row_index(y, r);
    const char *from = row_at(x, i);
    char *to = row_at(y, i);
    if (x->type == y->type) {
      if (x->nb[0] == bytes) memcpy(to, from, (size_t)(n * bytes));
      else if (bytes == 4) for (int64_t j = 0; j < n; j++) memcpy(to + 4 * j, from + j * x->nb[0], 4);
      else for (int64_t j = 0; j < n; j++) memcpy(to + 2 * j, from + j * x->nb[0], 2);
      continue;
    }
    const float *row = (const float *)from;
    if (x->type != T_F32 || x->nb[0] != bytes) {
      for (int64_t j = 0; j < n; j++) {
        uint16_t h;
        memcpy(&h, from + j * x->nb[0], 2);
        room[j] = x->type == T_F32 ? at(from, x->nb[0], j)
            : x->type == T_F16 ? f16_to_f32(h) : bf16_to_f32(h);
      }
      row = room;
    }
    if (y->type == T_F32) memcpy(to, row, (size_t)n * 4);
    else for (int64_t j = 0; j < n; j++) {
      ((uint16_t *)to)[j] = y->type == T_F16 ? f32_to_f16(row[j]) : f32_to_bf16(row[j]);
    }
  }
}

static void write_row(int type, char *to, const float *row, int64_t n) {
  int64_t j = 0;
  switch (type) {
    case T_F32:
      memcpy(to, row, (size_t)n * 4);
      break;
    case T_F16:
      for (; j + VL <= n; j += VL) vf_to_f16(to + 2 * j, vf_load(row + j));
      for (; j < n; j++) ((uint16_t *)to)[j] = f32_to_f16(row[j]);
      break;
    default:
      for (; j < n; j++) ((uint16_t *)to)[j] = f32_to_bf16(row[j]);
  }
}

// dst: the state; src[0] rows, src[1] ids; i[0]: the axis that ids select on. Items are rows of src.
static void k_set_rows(const step_t *s, int64_t item, float *room) {
  const tensor_t *y = &s->dst, *x = &s->src[0];
  int axis = s->i[0];
  int64_t end = (item + 1) * item_rows(s), rows = rows_of(x);
  for (int64_t r = item * item_rows(s); r < end && r < rows; r++) {
    index_t i = row_index(x, r), to = i;
    int64_t t = axis == 1 ? i.i1 : axis == 2 ? i.i2 : i.i3;
    int32_t id;
    memcpy(&id, s->src[1].data + t * s->src[1].nb[0], 4);
    if (id < 0 || id >= y->ne[axis]) continue;
    *(axis == 1 ? &to.i1 : axis == 2 ? &to.i2 : &to.i3) = id;
    write_row(y->type, row_at(y, to), dense_row(x, i, room), x->ne[0]);
  }
}

// src[0] table, src[1] ids; items are rows of the result.
static void k_get_rows(const step_t *s, int64_t item) {
  const tensor_t *y = &s->dst, *x = &s->src[0], *ids = &s->src[1];
  int64_t end = (item + 1) * item_rows(s), rows = rows_of(y);
  for (int64_t r = item * item_rows(s); r < end && r < rows; r++) {
    index_t i = row_index(y, r);
    int32_t id;
    memcpy(&id, ids->data + i.i1 * ids->nb[0] + i.i2 * ids->nb[1], 4);
    float *to = (float *)row_at(y, i);
    if (id < 0 || id >= x->ne[1]) {
      memset(to, 0, (size_t)y->ne[0] * 4);
    } else {
      const char *from = x->data + id * x->nb[1] + i.i2 * x->nb[2];
      if (x->type == T_F32 && x->nb[0] != 4) {
        for (int64_t j = 0; j < y->ne[0]; j++) to[j] = at(from, x->nb[0], j);
      } else {
        dequant_row(x->type, from, to, y->ne[0]);
      }
    }
  }
}

// Descending, the lower index first among equals; NaN is below everything.
static void k_top_k(const step_t *s, int64_t item, float *room) {
  const tensor_t *x = &s->src[0], *y = &s->dst;
  int64_t n = x->ne[0], k = y->ne[0];
  int32_t *to = (int32_t *)(y->data + item * y->nb[1]);
  if (s->i[0]) {
    int32_t mask;
    memcpy(&mask, s->src[1].data + item * s->src[1].nb[1] + s->src[1].nb[0], 4);
    if (mask == 0) {
      for (int64_t j = 0; j < k; j++) to[j] = -1;
      return;
    }
  }
  const float *row = dense_row(x, (index_t){item, 0, 0}, room);
  int64_t found = 0;
  for (int64_t j = 0; j < n; j++) {
    float v = row[j];
    int64_t p = found;
    while (p > 0) {
      float o = row[to[p - 1]];
      if (!(v > o || (o != o && v == v))) break;
      p--;
    }
    if (p >= k) continue;
    if (found < k) found++;
    for (int64_t q = found - 1; q > p; q--) to[q] = to[q - 1];
    to[p] = (int32_t)j;
  }
}
