// SPDX-License-Identifier: Apache-2.0
// Packed weights: sixteen rows interleaved, block by block, so that one vector holds the same
// four elements of sixteen rows. A panel takes exactly the bytes of its sixteen rows; rows that
// fill no panel follow as they were. The parts of a block lie in the order in which they are read.
#include "pack.h"
#include "consort_cpu.h"
#include <string.h>

typedef struct { int from, unit, count; } part_t;

static const part_t *parts(int type) {
  static const part_t q4_0[] = {{2, 4, 4}, {0, 2, 1}, {0, 0, 0}};
  static const part_t q4_1[] = {{4, 4, 4}, {0, 2, 2}, {0, 0, 0}};
  static const part_t q5_0[] = {{6, 4, 4}, {2, 4, 1}, {0, 2, 1}, {0, 0, 0}};
  static const part_t q5_1[] = {{8, 4, 4}, {4, 4, 1}, {0, 2, 2}, {0, 0, 0}};
  static const part_t q8_0[] = {{2, 4, 8}, {0, 2, 1}, {0, 0, 0}};
  static const part_t mxfp4[] = {{1, 4, 4}, {0, 1, 1}, {0, 0, 0}};
  static const part_t q2_k[] = {{16, 4, 16}, {0, 1, 16}, {80, 2, 2}, {0, 0, 0}};
  static const part_t q3_k[] = {{32, 4, 16}, {0, 4, 8}, {96, 1, 12}, {108, 2, 1}, {0, 0, 0}};
  static const part_t q4_k[] = {{0, 2, 2}, {4, 1, 12}, {16, 4, 32}, {0, 0, 0}};
  static const part_t q5_k[] = {{0, 2, 2}, {4, 1, 12}, {16, 4, 8}, {48, 4, 32}, {0, 0, 0}};
#define TRIPLE(h, j) \
  {64 * (h) + 4 * (j), 4, 1}, {64 * (h) + 32 + 4 * (j), 4, 1}, {128 + 32 * (h) + 4 * (j), 4, 1}
#define TRIPLES(h) TRIPLE(h, 0), TRIPLE(h, 1), TRIPLE(h, 2), TRIPLE(h, 3), TRIPLE(h, 4), \
    TRIPLE(h, 5), TRIPLE(h, 6), TRIPLE(h, 7)
  static const part_t q6_k[] = {{208, 2, 1}, {192, 1, 16}, TRIPLES(0), TRIPLES(1), {0, 0, 0}};
  static const part_t iq4_xs[] = {{8, 4, 32}, {2, 2, 1}, {4, 1, 4}, {0, 2, 1}, {0, 0, 0}};
  switch (type) {
    case T_Q4_0: case T_IQ4_NL: return q4_0;
    case T_Q4_1: return q4_1;
    case T_Q5_0: return q5_0;
    case T_Q5_1: return q5_1;
    case T_Q8_0: return q8_0;
    case T_MXFP4: return mxfp4;
    case T_Q2_K: return q2_k;
    case T_Q3_K: return q3_k;
    case T_Q4_K: return q4_k;
    case T_Q5_K: return q5_k;
    case T_Q6_K: return q6_k;
    case T_IQ4_XS: return iq4_xs;
    default: return NULL;
  }
}

// Bit 4k+b of a block's high bits goes to bit k of byte b, and back.
static uint32_t spread_bits(uint32_t h) {
  uint32_t r = 0;
  for (int e = 0; e < 32; e++) r |= (h >> e & 1) << (8 * (e & 3) + (e >> 2));
  return r;
}
static uint32_t gather_bits(uint32_t h) {
  uint32_t r = 0;
  for (int e = 0; e < 32; e++) r |= (h >> (8 * (e & 3) + (e >> 2)) & 1) << e;
  return r;
}

int consort_can_pack(int type) { return parts(type) != NULL; }

static inline void move_unit(char *to, const char *from, int unit) {
  if (unit == 4) memcpy(to, from, 4);
  else if (unit == 2) memcpy(to, from, 2);
  else *to = *from;
}

static void put_block(int type, char *panel, int lane, const char *src) {
  char *to = panel;
  for (const part_t *p = parts(type); p->count; p++) {
    for (int j = 0; j < p->count; j++, to += 16 * p->unit) {
      char *at = to + lane * p->unit;
      move_unit(at, src + p->from + j * p->unit, p->unit);
      if (p->unit == 4) {
        uint32_t v;
        memcpy(&v, at, 4);
        if (type == T_Q8_0) v ^= 0x80808080u;
        if ((type == T_Q5_0 && p->from == 2) || (type == T_Q5_1 && p->from == 4)) {
          v = spread_bits(v);
        }
        memcpy(at, &v, 4);
      }
    }
  }
}

static void get_block(int type, const char *panel, int lane, char *dst) {
  const char *at = panel;
  for (const part_t *p = parts(type); p->count; p++) {
    for (int j = 0; j < p->count; j++, at += 16 * p->unit) {
      char unit[4];
      move_unit(unit, at + lane * p->unit, p->unit);
      if (p->unit == 4) {
        uint32_t v;
        memcpy(&v, unit, 4);
        if (type == T_Q8_0) v ^= 0x80808080u;
        if ((type == T_Q5_0 && p->from == 2) || (type == T_Q5_1 && p->from == 4)) {
          v = gather_bits(v);
        }
        memcpy(unit, &v, 4);
      }
      move_unit(dst + p->from + j * p->unit, unit, p->unit);
    }
  }
}

typedef struct { char *panel; int lane; } place_t;

// Where block number `block` (counted through all rows as they lie in a GGUF) is kept; panel is
// NULL for rows outside of panels, which lie where they lay.
static place_t place(char *base, int64_t block, int64_t row_blocks, int64_t m, int bytes) {
  int64_t row = block / row_blocks, b = block % row_blocks, in_slice = row % m;
  if (in_slice >= m - m % 16) return (place_t){NULL, 0};
  int64_t first = row - in_slice + in_slice / 16 * 16;
  return (place_t){base + (first * row_blocks + b * 16) * bytes, (int)(in_slice % 16)};
}

void consort_pack_set(int type, void *base, int64_t k, int64_t m, int64_t offset, const void *src,
    int64_t bytes) {
  int bb = consort_block_bytes(type);
  int64_t rb = k / consort_block_elements(type);
  const char *s = src;
  while (bytes > 0) {
    int64_t block = offset / bb, within = offset % bb;
    int64_t n = bb - within < bytes ? bb - within : bytes;
    place_t p = place(base, block, rb, m, bb);
    if (!p.panel) {
      memcpy((char *)base + offset, s, (size_t)n);
    } else if (n == bb) {
      put_block(type, p.panel, p.lane, s);
    } else {
      char whole[256];
      get_block(type, p.panel, p.lane, whole);
      memcpy(whole + within, s, (size_t)n);
      put_block(type, p.panel, p.lane, whole);
    }
    s += n;
    offset += n;
    bytes -= n;
  }
}

void consort_pack_get(int type, const void *base, int64_t k, int64_t m, int64_t offset, void *dst,
    int64_t bytes) {
  int bb = consort_block_bytes(type);
  int64_t rb = k / consort_block_elements(type);
  char *d = dst;
  while (bytes > 0) {
    int64_t block = offset / bb, within = offset % bb;
    int64_t n = bb - within < bytes ? bb - within : bytes;
    place_t p = place((char *)base, block, rb, m, bb);
    if (!p.panel) {
      memcpy(d, (const char *)base + offset, (size_t)n);
    } else {
      char whole[256];
      get_block(type, p.panel, p.lane, whole);
      memcpy(d, whole + within, (size_t)n);
    }
    d += n;
    offset += n;
    bytes -= n;
  }
}

void consort_pack_row(int type, const void *base, int64_t k, int64_t m, int64_t row, void *dst) {
  int64_t bytes = k / consort_block_elements(type) * consort_block_bytes(type);
  consort_pack_get(type, base, k, m, row * bytes, dst, bytes);
}
