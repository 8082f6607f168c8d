// SPDX-License-Identifier: Apache-2.0
// Small writes that were gathered in pinned host memory go to their places.
#include <stdint.h>

const int MOST_WRITES = 16;

struct Write {
  char *to;
  const char *from;
  int64_t bytes;
};

struct Scatter {
  Write writes[MOST_WRITES];
};

// Blocks along y take a write each.
extern "C" __global__ void __launch_bounds__(256) scatter(__grid_constant__ const Scatter r) {
  const Write &w = r.writes[blockIdx.y];
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  int64_t step = (int64_t)gridDim.x * blockDim.x;
  int64_t alike = (uintptr_t)w.to | (uintptr_t)w.from | w.bytes;
  if ((alike & 15) == 0) {
    for (; i < w.bytes / 16; i += step) ((uint4 *)w.to)[i] = ((const uint4 *)w.from)[i];
  } else if ((alike & 3) == 0) {
    for (; i < w.bytes / 4; i += step) ((int *)w.to)[i] = ((const int *)w.from)[i];
  } else {
    for (; i < w.bytes; i += step) w.to[i] = w.from[i];
  }
}
