// SPDX-License-Identifier: Apache-2.0
// Functions of single elements, and of rows.
#include "activations.cuh"
#include "functions.cuh"
#include "norm.cuh"
#include "rope.cuh"

struct Map {
  Tensor result;
  Tensor a;
  Tensor b;
  int64_t count;
  int64_t flat;  // over 0: everything is contiguous, and b repeats after so many elements
  int function;
  int from;
  int to;
  float p0;
  float p1;
};

extern "C" __global__ void map(Map m) {
  awaitPrevious();
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= m.count) return;
  int size = m.to == F32 ? 4 : 2;
  if (m.flat > 0) {
    float a = loadFloat(m.a.p + i * (m.from == F32 ? 4 : 2), m.from);
    float b = 0;
    if (isBinary(m.function)) b = ((const float *)m.b.p)[m.flat >= m.count ? i : i % m.flat];
    storeFloat(m.result.p + i * size, m.to, apply(m.function, a, b, m.p0, m.p1));
    return;
  }
  unsigned rest = (unsigned)i;
  unsigned i0 = rest % m.a.ne[0];
  rest /= m.a.ne[0];
  unsigned i1 = rest % m.a.ne[1];
  rest /= m.a.ne[1];
  unsigned i2 = rest % m.a.ne[2];
  unsigned i3 = rest / m.a.ne[2];
  float a = loadFloat(m.a.p + at(m.a, i0, i1, i2, i3), m.from);
  float b = 0;
  if (isBinary(m.function)) {
    b = *(const float *)(m.b.p + at(m.b, i0 % m.b.ne[0], i1 % m.b.ne[1], i2 % m.b.ne[2],
                                    i3 % m.b.ne[3]));
  }
  storeFloat(m.result.p + i * size, m.to, apply(m.function, a, b, m.p0, m.p1));
}

struct Rows {
  Tensor x;
  float *result;
  const float *weight;  // of a fused multiplication, or null
  float eps;
};

__device__ __forceinline__ const char *rowOf(const Tensor &x, int64_t row) {
  int64_t i1 = row % x.ne[1], i2 = row / x.ne[1] % x.ne[2], i3 = row / x.ne[1] / x.ne[2];
  return x.p + at(x, 0, i1, i2, i3);
}

extern "C" __global__ void rms_norm(Rows r) {
  awaitPrevious();
  const char *x = rowOf(r.x, blockIdx.x);
  int n = r.x.ne[0];
  float sum = 0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    float v = *(const float *)(x + i * r.x.nb[0]);
    sum += v * v;
  }
  sum = blockReduce<false>(sum);
  float scale = 1.0f / sqrtf(sum / n + r.eps);
  float *out = r.result + (int64_t)blockIdx.x * n;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    float v = *(const float *)(x + i * r.x.nb[0]) * scale;
    out[i] = r.weight ? v * r.weight[i] : v;
  }
}

// Rows without gaps of a multiple of 32 elements: addition, norm, weight and the form that the
// products behind it take, in one.
extern "C" __global__ void __launch_bounds__(1024) add_norm(Norm r) {
  OneBlock block;
  KeptOf<1> weights = r.early<1>(block);
  releaseNext();
  awaitPrevious();
  int64_t at = (int64_t)blockIdx.x * r.n;
  float sum = 0;
  Kept kept;
  int step = 0;
  for (int i = threadIdx.x; i < r.n / 4; i += blockDim.x, step++) {
    float4 v = r.input(at, i);
    if (r.sum) ((float4 *)(r.sum + at))[i] = v;
    kept.put(step, v);
    sum += squares(v);
  }
  r.finish(at, sum, kept, weights, block);
}

struct Shape {
  const float *x;
  char *form;
  int64_t rows;
  int64_t step;  // from row to row, in elements
  int n;
  int kind;
};

// Activations as products want them.
extern "C" __global__ void __launch_bounds__(256) shape(Shape s) {
  releaseNext();
  awaitPrevious();
  const float4 *x = (const float4 *)(s.x + blockIdx.x * s.step);
  Form form(s.form, s.kind, s.rows * s.n, s.n);
  if (s.kind == QUANTS) {
    int64_t at = (int64_t)blockIdx.x * s.n / 4;
    for (int i = blockIdx.y * blockDim.x + threadIdx.x; i < s.n / 4; i += blockDim.x * gridDim.y) {
      form.quantize(at + i, x[i]);
    }
    return;
  }
  float most = 0;
  for (int i = threadIdx.x; i < s.n / 4; i += blockDim.x) most = fmaxf(most, largest(x[i]));
  form.row(blockIdx.x, most, [&](int i) { return x[i]; });
}

struct GatedShape {
  const float *gate;
  const float *up;
  float *result;  // or null
  char *form;
  int64_t rows;
  int n;
  int kind;
  int function;
  float p0;
  float p1;
};

// A gate, what it opens, and the 16-bit form of that, a row a block.
extern "C" __global__ void __launch_bounds__(1024) gated_shape(GatedShape g) {
  releaseNext();
  awaitPrevious();
  int64_t at = (int64_t)blockIdx.x * g.n;
  const float4 *gate = (const float4 *)(g.gate + at), *up = (const float4 *)(g.up + at);
  Kept kept;
  float most = 0;
  int step = 0;
  auto value = [&](int i) {
    float4 a = gate[i], b = up[i];
    return make_float4(apply(g.function, a.x, b.x, g.p0, g.p1), apply(g.function, a.y, b.y, g.p0, g.p1),
                       apply(g.function, a.z, b.z, g.p0, g.p1), apply(g.function, a.w, b.w, g.p0, g.p1));
  };
  for (int i = threadIdx.x; i < g.n / 4; i += blockDim.x, step++) {
    float4 v = value(i);
    kept.put(step, v);
    most = fmaxf(most, largest(v));
    if (g.result) ((float4 *)(g.result + at))[i] = v;
  }
  Form form(g.form, g.kind, g.rows * g.n, g.n);
  step = 0;
  form.row(blockIdx.x, most, [&](int i) {
    float4 v = step < Kept::COUNT ? kept.get(step) : value(i);
    step++;
    return v;
  });
}

extern "C" __global__ void soft_max(Rows r) {
  awaitPrevious();
  const char *x = rowOf(r.x, blockIdx.x);
  int n = r.x.ne[0];
  float max = -INFINITY;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    max = fmaxf(max, *(const float *)(x + i * r.x.nb[0]));
  }
  max = blockReduce<true>(max);
  float sum = 0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    sum += expf(*(const float *)(x + i * r.x.nb[0]) - max);
  }
  sum = blockReduce<false>(sum);
  float *out = r.result + (int64_t)blockIdx.x * n;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    out[i] = expf(*(const float *)(x + i * r.x.nb[0]) - max) / sum;
  }
}

struct SumArgs {
  Tensor x;
  float *result;
  int64_t count;
  int axis;
};

extern "C" __global__ void sum_rows(SumArgs s) {
  awaitPrevious();
  const char *x = rowOf(s.x, blockIdx.x);
  float sum = 0;
  for (int i = threadIdx.x; i < s.x.ne[0]; i += blockDim.x) {
    sum += *(const float *)(x + i * s.x.nb[0]);
  }
  sum = blockReduce<false>(sum);
  if (threadIdx.x == 0) s.result[blockIdx.x] = sum;
}

extern "C" __global__ void sum_axis(SumArgs s) {
  awaitPrevious();
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= s.count) return;
  int64_t rest = i, index[4];
  for (int axis = 0; axis < 4; axis++) {
    int extent = axis == s.axis ? 1 : s.x.ne[axis];
    index[axis] = rest % extent;
    rest /= extent;
  }
  const char *x = s.x.p + at(s.x, index[0], index[1], index[2], index[3]);
  float sum = 0;
  for (int j = 0; j < s.x.ne[s.axis]; j++) sum += *(const float *)(x + j * s.x.nb[s.axis]);
  s.result[i] = sum;
}

struct TopK {
  Tensor x;
  int *result;
  const char *queries;  // or null
  int64_t queryStep;
  int64_t querySlot;
  int k;
};

// Each round takes the best of what comes after the last one taken. NaNs are never taken.
extern "C" __global__ void top_k(TopK t) {
  awaitPrevious();
  __shared__ float bestValue[32];
  __shared__ int bestIndex[32];
  const char *x = t.x.p + blockIdx.x * t.x.nb[1];
  int *out = t.result + (int64_t)blockIdx.x * t.k;
  if (t.queries && *(const int *)(t.queries + blockIdx.x * t.queryStep + t.querySlot) == 0) {
    for (int i = threadIdx.x; i < t.k; i += blockDim.x) out[i] = -1;
    return;
  }
  float last = INFINITY;
  int lastIndex = -1;
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  for (int round = 0; round < t.k; round++) {
    float v = -INFINITY;
    int index = 0x7fffffff;
    for (int i = threadIdx.x; i < t.x.ne[0]; i += blockDim.x) {
      float c = *(const float *)(x + i * t.x.nb[0]);
      bool after = c < last || (c == last && i > lastIndex);
      if (after && (c > v || (c == v && i < index))) v = c, index = i;
    }
    for (int step = 0; step < 2; step++) {
      for (int o = 16; o > 0; o >>= 1) {
        float ov = __shfl_xor_sync(~0u, v, o);
        int oi = __shfl_xor_sync(~0u, index, o);
        if (ov > v || (ov == v && oi < index)) v = ov, index = oi;
      }
      if (step == 0) {
        __syncthreads();
        if (lane == 0) bestValue[warp] = v, bestIndex[warp] = index;
        __syncthreads();
        v = lane < warps ? bestValue[lane] : -INFINITY;
        index = lane < warps ? bestIndex[lane] : 0x7fffffff;
      }
    }
    if (threadIdx.x == 0) out[round] = index == 0x7fffffff ? -1 : index;
    last = v;
    lastIndex = index;
  }
}

// A pair is turned, or an element behind the pairs copied: i counts both.
template <typename Put>
__device__ __forceinline__ void rotate(const Rope &r, int64_t i, Put put) {
  int slots = r.x.ne[0] - r.dims / 2, pairs = r.dims / 2;
  int slot = i % slots;
  int64_t row = i / slots;
  int i1 = row % r.x.ne[1];
  int64_t rest = row / r.x.ne[1];
  int i2 = rest % r.x.ne[2], i3 = rest / r.x.ne[2];
  const char *x = r.x.p + at(r.x, 0, i1, i2, i3);
  if (slot >= pairs) {
    put(slot + pairs, row, i1, i2, *(const float *)(x + (slot + pairs) * r.x.nb[0]));
    return;
  }
  float sine, cosine;
  turn(r, slot, i2, sine, cosine);
  int a = r.neox ? slot : 2 * slot, b = r.neox ? slot + pairs : 2 * slot + 1;
  float p = *(const float *)(x + a * r.x.nb[0]), q = *(const float *)(x + b * r.x.nb[0]);
  put(a, row, i1, i2, p * cosine - q * sine);
  put(b, row, i1, i2, p * sine + q * cosine);
}

extern "C" __global__ void rope(Rope r) {
  awaitPrevious();
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= r.count) return;
  float *result = r.result;
  int n = r.x.ne[0];
  rotate(r, i, [&](int k, int64_t row, int, int, float x) { result[row * n + k] = x; });
}

// Queries turned, keys turned into their cells, values put beside them.
extern "C" __global__ void rope_stored(Stored s) {
  releaseNext();
  awaitPrevious();
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < s.q.count) {
    float *result = s.q.result;
    int n = s.q.x.ne[0];
    rotate(s.q, i, [&](int k, int64_t row, int, int, float x) { result[row * n + k] = x; });
    return;
  }
  i -= s.q.count;
  if (i < s.k.count) {
    rotate(s.k, i, [&](int k, int64_t, int head, int token, float x) {
      int slot = *(const int *)(s.slots + token * s.slotStep);
      if (slot < 0 || slot >= s.keys.state.ne[2]) return;
      storeFloat(s.keys.state.p + at(s.keys.state, k, head, slot, 0), s.keys.type, x);
    });
    return;
  }
  i -= s.k.count;
  if (i >= s.values0) return;
  int k = i % s.v.ne[0], head = i / s.v.ne[0] % s.v.ne[1], token = i / s.v.ne[0] / s.v.ne[1];
  int slot = *(const int *)(s.slots + token * s.slotStep);
  if (slot < 0 || slot >= s.values.state.ne[2]) return;
  float x = *(const float *)(s.v.p + at(s.v, k, head, token, 0));
  storeFloat(s.values.state.p + at(s.values.state, k, head, slot, 0), s.values.type, x);
}
