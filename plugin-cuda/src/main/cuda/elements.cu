// SPDX-License-Identifier: Apache-2.0
// Functions of single elements, and of rows.
#include "common.cuh"

// Numbers of the functions; see ElementKernels.java.
enum Function {
  ADD,
  SUB,
  MUL,
  DIV,
  SILU = 10,
  GELU,
  GELU_QUICK,
  RELU,
  SIGMOID,
  TANH,
  EXP,
  NEG,
  SCALE,
  CLAMP,
  SWIGLU = 20,
  GEGLU,
  REGLU,
  SWIGLU_LIMITED,
  COPY = 30
};

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

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
__device__ __forceinline__ float gelu(float x) {
  return 0.5f * x * (1.0f + tanhf(0.79788456080286535588f * x * (1.0f + 0.044715f * x * x)));
}

__device__ __forceinline__ float apply(int f, float a, float b, float p0, float p1) {
  switch (f) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    case SILU: return a * sigmoid(a);
    case GELU: return gelu(a);
    case GELU_QUICK: return a * sigmoid(1.702f * a);
    case RELU: return fmaxf(a, 0.0f);
    case SIGMOID: return sigmoid(a);
    case TANH: return tanhf(a);
    case EXP: return expf(a);
    case NEG: return -a;
    case SCALE: return a * p0 + p1;
    case CLAMP: return fminf(fmaxf(a, p0), p1);
    case SWIGLU: return a * sigmoid(a) * b;
    case GEGLU: return gelu(a) * b;
    case REGLU: return fmaxf(a, 0.0f) * b;
    case SWIGLU_LIMITED: {
      float g = fminf(a, p1), u = fminf(fmaxf(b, -p1), p1);
      return g * sigmoid(p0 * g) * (u + 1.0f);
    }
    default: return a;
  }
}

__device__ __forceinline__ bool isBinary(int f) { return f < SILU || (f >= SWIGLU && f < COPY); }

extern "C" __global__ void map(Map m) {
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

extern "C" __global__ void soft_max(Rows r) {
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
  const char *x = rowOf(s.x, blockIdx.x);
  float sum = 0;
  for (int i = threadIdx.x; i < s.x.ne[0]; i += blockDim.x) {
    sum += *(const float *)(x + i * s.x.nb[0]);
  }
  sum = blockReduce<false>(sum);
  if (threadIdx.x == 0) s.result[blockIdx.x] = sum;
}

extern "C" __global__ void sum_axis(SumArgs s) {
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

struct Rope {
  Tensor x;
  float *result;
  const char *positions;
  const char *factors;  // or null
  int64_t positionStep;
  int64_t factorStep;
  int64_t count;
  double base;  // log2 of the frequency base, by -2 / dims
  float freqScale;
  float extFactor;
  float magnitude;
  float low;
  float high;
  int dims;
  int neox;
};

// Rotary position embedding (Su et al., 2021) with YaRN's ramp (Peng et al., 2023). Angles are
// doubles, so that large positions lose nothing.
extern "C" __global__ void rope(Rope r) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= r.count) return;
  int slots = r.x.ne[0] - r.dims / 2;  // a pair, or an element that is copied
  int slot = i % slots, pairs = r.dims / 2;
  int64_t row = i / slots;
  int i1 = row % r.x.ne[1];
  int64_t rest = row / r.x.ne[1];
  int i2 = rest % r.x.ne[2], i3 = rest / r.x.ne[2];
  const char *x = r.x.p + at(r.x, 0, i1, i2, i3);
  float *out = r.result + row * r.x.ne[0];
  if (slot >= pairs) {
    int k = slot + pairs;
    out[k] = *(const float *)(x + k * r.x.nb[0]);
    return;
  }
  double angle = *(const int *)(r.positions + i2 * r.positionStep) * exp2(slot * r.base);
  if (r.factors) angle /= *(const float *)(r.factors + slot * r.factorStep);
  float share = 0;
  if (r.extFactor != 0) {
    float y = (slot - r.low) / fmaxf(0.001f, r.high - r.low);
    share = (1.0f - fminf(1.0f, fmaxf(0.0f, y))) * r.extFactor;
  }
  angle *= (double)r.freqScale * (1.0 - share) + share;
  angle -= 6.283185307179586476925 * rint(angle * 0.159154943091895335769);
  float sine, cosine;
  sincosf((float)angle, &sine, &cosine);
  sine *= r.magnitude;
  cosine *= r.magnitude;
  int a = r.neox ? slot : 2 * slot, b = r.neox ? slot + pairs : 2 * slot + 1;
  float p = *(const float *)(x + a * r.x.nb[0]), q = *(const float *)(x + b * r.x.nb[0]);
  out[a] = p * cosine - q * sine;
  out[b] = p * sine + q * cosine;
}
