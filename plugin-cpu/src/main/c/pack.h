// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

int consort_can_pack(int type);
// Writes or reads `bytes` bytes at `offset` of the tensor [k, m, ..] as its GGUF layout has them,
// where `base` holds it packed.
void consort_pack_set(int type, void *base, int64_t k, int64_t m, int64_t offset, const void *src,
    int64_t bytes);
void consort_pack_get(int type, const void *base, int64_t k, int64_t m, int64_t offset, void *dst,
    int64_t bytes);
// One packed row as GGUF blocks, for row look-ups.
void consort_pack_row(int type, const void *base, int64_t k, int64_t m, int64_t row, void *dst);
