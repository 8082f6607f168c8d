// SPDX-License-Identifier: Apache-2.0
// What every processor runs: which kernels it can run, memory, block sizes.
#define _GNU_SOURCE
#include "consort_cpu.h"
#include <stddef.h>
#include <sys/mman.h>

// 2: AVX-512 with VNNI and BF16; 1: AVX2 with FMA and F16C; 0: neither.
int consort_level(void) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")
      || !__builtin_cpu_supports("f16c")) {
    return 0;
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
      && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
      && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16")) {
    return 2;
  }
  return 1;
}

int consort_block_elements(int type) {
  switch (type) {
    case T_F32: case T_F16: case T_BF16: case T_I32: return 1;
    case T_Q4_0: case T_Q4_1: case T_Q5_0: case T_Q5_1: case T_Q8_0: case T_IQ4_NL:
    case T_MXFP4: return 32;
    case T_Q2_K: case T_Q3_K: case T_Q4_K: case T_Q5_K: case T_Q6_K: case T_IQ4_XS: return 256;
    default: return 0;
  }
}

int consort_block_bytes(int type) {
  switch (type) {
    case T_F32: case T_I32: return 4;
    case T_F16: case T_BF16: return 2;
    case T_Q4_0: case T_IQ4_NL: return 18;
    case T_Q4_1: return 20;
    case T_Q5_0: return 22;
    case T_Q5_1: return 24;
    case T_Q8_0: return 34;
    case T_MXFP4: return 17;
    case T_Q2_K: return 84;
    case T_Q3_K: return 110;
    case T_Q4_K: return 144;
    case T_Q5_K: return 176;
    case T_Q6_K: return 210;
    case T_IQ4_XS: return 136;
    default: return 0;
  }
}

// Zeroed pages, large ones where the system has them; NULL when out of memory.
void *consort_map(int64_t bytes) {
  void *p = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return NULL;
#ifdef MADV_HUGEPAGE
  if (bytes >= (2 << 20)) madvise(p, (size_t)bytes, MADV_HUGEPAGE);
#endif
  return p;
}

void consort_unmap(void *p, int64_t bytes) { munmap(p, (size_t)bytes); }
