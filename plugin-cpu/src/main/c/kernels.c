// SPDX-License-Identifier: Apache-2.0
// Everything that depends on the instruction set; compiled once for each, under its name.
#include "attention.h"
#include "matmul.h"
#include "rope.h"
#include <sched.h>

#define NAME_(a, b) a##_##b
#define NAME(a, b) NAME_(a, b)

// Adds terms in their order, in F32, and writes the same bytes to every place.
// a: [0] addresses of the terms, then of the places, [1] terms, [2] elements, [3] elements an item,
// [4] places; i[0]: terms travel as BF16
static void k_reduce(const step_t *s, int64_t item) {
  char *const *from = (char *const *)s->a[0], *const *to = from + s->a[1];
  int64_t first = item * s->a[3], left = s->a[2] - first;
  if (left > s->a[3]) left = s->a[3];
  for (int64_t j = first; j < first + left;) {
    int w = first + left - j < VL ? (int)(first + left - j) : VL;
    float sum[VL], term[VL];
    for (int64_t r = 0; r < s->a[1]; r++) {
      memcpy(term, from[r] + 4 * j, (size_t)w * 4);
      if (s->i[0]) for (int l = 0; l < w; l++) term[l] = bf16_to_f32(f32_to_bf16(term[l]));
      if (r == 0) memcpy(sum, term, sizeof sum);
      else for (int l = 0; l < w; l++) sum[l] += term[l];
    }
    for (int l = 0; l < w; l++) {
      if (sum[l] != sum[l]) {
        uint32_t nan = 0x7fc00000u;
        memcpy(&sum[l], &nan, 4);
      }
    }
    for (int64_t r = 0; r < s->a[4]; r++) memcpy(to[r] + 4 * j, sum, (size_t)w * 4);
    j += w;
  }
}

// a: [0] to, [1] from, [2] bytes, [3] bytes an item; i: [0] 1: into a packed tensor of type i[1]
// and shape [a[4], a[5], ..], from its byte a[6] on
static void k_move(const step_t *s, int64_t item) {
  int64_t first = item * s->a[3], left = s->a[2] - first;
  if (left > s->a[3]) left = s->a[3];
  const char *from = (const char *)s->a[1] + first;
  if (s->i[0]) {
    consort_pack_set(s->i[1], (void *)s->a[0], s->a[4], s->a[5], s->a[6] + first, from, left);
  } else {
    memcpy((char *)s->a[0] + first, from, (size_t)left);
  }
}

static int64_t items_of(const step_t *s) {
  return s->items >= 0 ? s->items : matmul_id_items(s);
}

static void work(const step_t *s, int64_t item, float *room) {
  switch (s->code) {
    case S_QUANT32: k_quantize(s, item, room, 0); break;
    case S_QUANT256: k_quantize(s, item, room, 1); break;
    case S_MATMUL_PACKED: k_matmul_packed(s, item, room); break;
    case S_MATMUL_DOT: k_matmul_dot(s, item, room); break;
    case S_MATMUL_ID: k_matmul_id(s, item, room); break;
    case S_GET_ROWS: k_get_rows(s, item); break;
    case S_SET_ROWS: k_set_rows(s, item, room); break;
    case S_BINARY: k_binary(s, item, room); break;
    case S_SCALE: k_scale(s, item, room); break;
    case S_UNARY: k_unary(s, item, room); break;
    case S_GLU: k_glu(s, item, room); break;
    case S_RMS_NORM: k_rms_norm(s, item, room); break;
    case S_ROPE: k_rope(s, item, room); break;
    case S_ATTENTION: k_attention(s, item, room); break;
    case S_ATTENTION_JOIN: k_attention_join(s, item, room); break;
    case S_SOFT_MAX: k_soft_max(s, item, room); break;
    case S_TOP_K: k_top_k(s, item, room); break;
    case S_SUM: k_sum(s, item, room); break;
    case S_CLAMP: k_clamp(s, item, room); break;
    case S_COPY: k_copy(s, item, room); break;
    case S_REDUCE: k_reduce(s, item); break;
    case S_MOVE: k_move(s, item); break;
    case S_TILES: k_tiles(s, item, room); break;
    case S_MATMUL_TILES: k_matmul_tiles(s, item, room); break;
    case S_GROUP: k_group(s); break;
    default: break;
  }
}

// So much of what comes next is fetched into the second-level cache while a thread waits.
#define FETCHED_WAITING (256 << 10)

static void reset(step_t *first, step_t *last) {
  for (step_t *s = first; s <= last; s++) {
    for (int r = 0; r < RANGES; r++) __atomic_store_n(&s->range[r].taken, 0, __ATOMIC_RELAXED);
  }
}

// The last to arrive makes the finished steps ready for the next run, and lets the others go on.
static void barrier(team_t *team, int threads, int thread, step_t *first, step_t *last) {
  if (threads == 1) {
    reset(first, last);
    return;
  }
  int64_t epoch = __atomic_load_n(&team->epoch, __ATOMIC_ACQUIRE);
  if (__atomic_add_fetch(&team->arrived, 1, __ATOMIC_ACQ_REL) == threads) {
    reset(first, last);
    __atomic_store_n(&team->arrived, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&team->epoch, epoch + 1, __ATOMIC_RELEASE);
    return;
  }
  int64_t mine = last->ahead_bytes / threads;
  const char *p = (const char *)last->ahead + mine * thread;
  const char *end = p + (mine < FETCHED_WAITING ? mine : FETCHED_WAITING);
  for (int spins = 0; __atomic_load_n(&team->epoch, __ATOMIC_ACQUIRE) == epoch; spins++) {
    if (p < end) {
      __builtin_prefetch(p, 0, 2);
      __builtin_prefetch(p + 64, 0, 2);
      p += 128;
    } else if (spins < 4000) {
      _mm_pause();
    } else {
      sched_yield();
    }
  }
}

static void run_items(step_t *s, int threads, int thread, float *room) {
  int64_t items = items_of(s);
  int ranges = threads < RANGES ? threads : RANGES;
  for (int r = 0; r < ranges; r++) {
    int range = (thread + r) % ranges;
    int64_t from = items * range / ranges, count = items * (range + 1) / ranges - from;
    int64_t *taken = &s->range[range].taken;
    while (__atomic_load_n(taken, __ATOMIC_RELAXED) < count) {
      int64_t item = __atomic_fetch_add(taken, 1, __ATOMIC_RELAXED);
      if (item < count) work(s, from + item, room);
    }
  }
}

// Runs steps on one of the team's threads; every thread of the team makes the same call. The last
// step has a barrier.
void NAME(consort_run, ISA)(step_t *steps, int64_t count, team_t *team, int64_t threads,
    int64_t thread, float *room) {
  step_t *first = steps;
  for (step_t *s = steps; s < steps + count; s++) {
    run_items(s, (int)threads, (int)thread, room);
    if (s->barrier) {
      barrier(team, (int)threads, (int)thread, first, s);
      first = s + 1;
    }
  }
}
