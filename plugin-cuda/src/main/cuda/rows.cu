// SPDX-License-Identifier: Apache-2.0
// Gathering and scattering rows. An index outside of the table selects nothing.
#include "decode.cuh"

struct Gather {
  Tensor table;
  Tensor ids;
  float *result;
};

template <int TYPE>
__device__ void gather(const Gather &g) {
  int n = blockIdx.x % g.ids.ne[0], b = blockIdx.x / g.ids.ne[0];
  int id = *(const int *)(g.ids.p + at(g.ids, n, b, 0, 0));
  int columns = g.table.ne[0];
  float *out = g.result + (int64_t)blockIdx.x * columns;
  if (id < 0 || id >= g.table.ne[1]) {
    for (int i = threadIdx.x; i < columns; i += blockDim.x) out[i] = 0;
    return;
  }
  const char *row = g.table.p + at(g.table, 0, id, b, 0);
  if (TYPE <= BF16) {
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
      out[i] = loadFloat(row + i * g.table.nb[0], TYPE);
    }
  } else {
    for (int k = threadIdx.x; k < columns / 8; k += blockDim.x) {
      float v[8];
      decode8<TYPE>(row, k, v);
#pragma unroll
      for (int i = 0; i < 8; i++) out[8 * k + i] = v[i];
    }
  }
}

#define GATHER(name, TYPE) \
  extern "C" __global__ void get_rows_##name(Gather g) { awaitPrevious(); gather<TYPE>(g); }
FOR_TYPES(GATHER)

struct Scatter {
  Tensor state;
  Tensor source;
  const char *ids;
  int64_t idStep;
  int axis;
  int type;
};

extern "C" __global__ void set_rows(Scatter s) {
  awaitPrevious();
  int64_t row = blockIdx.x;
  int i[4] = {0, (int)(row % s.source.ne[1]), (int)(row / s.source.ne[1] % s.source.ne[2]),
              (int)(row / s.source.ne[1] / s.source.ne[2])};
  const char *from = s.source.p + at(s.source, 0, i[1], i[2], i[3]);
  int slot = *(const int *)(s.ids + i[s.axis] * s.idStep);
  if (slot < 0 || slot >= s.state.ne[s.axis]) return;
  i[s.axis] = slot;
  char *to = s.state.p + at(s.state, 0, i[1], i[2], i[3]);
  for (int k = threadIdx.x; k < s.source.ne[0]; k += blockDim.x) {
    storeFloat(to + k * s.state.nb[0], s.type, *(const float *)(from + k * s.source.nb[0]));
  }
}
