// SPDX-License-Identifier: Apache-2.0
// Sums over the members of a comm through each other's memory, launched alike on every member. Each
// element is added up in member order, in F32. Every wait is bounded, and ends early when the host
// calls the comm off; what went wrong is written where the host reads it.
#include "norm.cuh"

const int MOST_MEMBERS = 8, MOST_BLOCKS = 256;

// A member's own; the host zeroes it once.
struct State {
  unsigned epoch;  // reduces so far
  unsigned done;   // blocks of the running one
  int failed;
  int pad[61];
  unsigned here[MOST_MEMBERS][MOST_BLOCKS];   // terms have come, by their sender
  unsigned there[MOST_MEMBERS][MOST_BLOCKS];  // sums have come, by their owner
};

struct Reduce {
  State *states[MOST_MEMBERS];
  char *packets[MOST_MEMBERS];  // [2][members][packetSlots], 16 bytes each
  char *slices[MOST_MEMBERS];   // [2][terms, sums][members][sliceBytes]
  const float *from;
  float *to;
  const volatile int *calledOff;  // the host's
  volatile int *error;            // the host's: 1 + the member that did not come
  int64_t n;
  int64_t limit;  // nanoseconds
  int64_t packetSlots;
  int64_t sliceBytes;
  int members;
  int rank;
};

__device__ __forceinline__ float canonical(float x) {
  return x != x ? __uint_as_float(0x7fc00000u) : x;
}

// E elements in 8 bytes of the wire.
template <bool HALF>
struct Pack {
  static const int E = HALF ? 4 : 2;
  static __device__ __forceinline__ uint2 encode(const float *v) {
    if (HALF) {
      __nv_bfloat162 a = __floats2bfloat162_rn(v[0], v[1]), b = __floats2bfloat162_rn(v[2], v[3]);
      return make_uint2(*(unsigned *)&a, *(unsigned *)&b);
    }
    return make_uint2(__float_as_uint(v[0]), __float_as_uint(v[1]));
  }
  static __device__ __forceinline__ void decode(uint2 w, float *v) {
    if (HALF) {
      v[0] = __uint_as_float(w.x << 16), v[1] = __uint_as_float(w.x & 0xffff0000u);
      v[2] = __uint_as_float(w.y << 16), v[3] = __uint_as_float(w.y & 0xffff0000u);
    } else {
      v[0] = __uint_as_float(w.x), v[1] = __uint_as_float(w.y);
    }
  }
};

// A wait that tells when to give up.
struct Patience {
  const Reduce &r;
  uint64_t start = 0, looked = 0;
  int turns = 0;

  __device__ __forceinline__ explicit Patience(const Reduce &reduce) : r(reduce) {}

  __device__ __forceinline__ bool isOver(int member) {
    if (++turns & 255) return false;
    uint64_t now = nanoseconds();
    if (start == 0) start = looked = now;
    bool late = now - start > (uint64_t)r.limit;
    if (!late && now - looked > 100000) {
      looked = now;
      late = *r.calledOff != 0;
    }
    if (late) {
      r.states[r.rank]->failed = 1;
      *r.error = 1 + member;
      __threadfence_system();
    }
    return late;
  }
};

__device__ __forceinline__ void finish(State *state, unsigned epoch) {
  __syncthreads();
  if (threadIdx.x == 0 && atomicInc(&state->done, gridDim.x - 1) == gridDim.x - 1) {
    state->epoch = epoch;
  }
}

__device__ __forceinline__ void send(const Reduce &r, int64_t half, int64_t i, uint2 own,
                                     unsigned epoch) {
  uint4 packet = make_uint4(own.x, epoch, own.y, epoch);
  for (int m = 0; m < r.members; m++) {
    if (m != r.rank) storePacket(r.packets[m] + 16 * (half + r.rank * r.packetSlots + i), packet);
  }
}

// The sum of everybody's packet; false if one did not come.
template <bool HALF>
__device__ __forceinline__ bool gather(const Reduce &r, int64_t half, int64_t i, uint2 own,
                                       unsigned epoch, Patience &patience, float *sum) {
  typedef Pack<HALF> P;
  for (int m = 0; m < r.members; m++) {
    uint2 w = own;
    if (m != r.rank) {
      const char *inbox = r.packets[r.rank] + 16 * (half + m * r.packetSlots + i);
      uint4 p = loadPacket(inbox);
      while (p.y != epoch || p.w != epoch) {
        if (patience.isOver(m)) return false;
        p = loadPacket(inbox);
      }
      w = make_uint2(p.x, p.z);
    }
    float v[P::E];
    P::decode(w, v);
#pragma unroll
    for (int e = 0; e < P::E; e++) sum[e] = m == 0 ? v[e] : sum[e] + v[e];
  }
#pragma unroll
  for (int e = 0; e < P::E; e++) sum[e] = canonical(sum[e]);
  if (HALF) {
    P::decode(P::encode(sum), sum);
#pragma unroll
    for (int e = 0; e < P::E; e++) sum[e] = canonical(sum[e]);
  }
  return true;
}

// Every member sends all of its term to every other, the epoch beside each half of a packet.
template <bool HALF>
__device__ __forceinline__ void oneShot(const Reduce &r) {
  typedef Pack<HALF> P;
  releaseNext();
  awaitPrevious();
  State *state = r.states[r.rank];
  unsigned epoch = state->epoch + 1;
  bool failed = state->failed != 0;
  int64_t packets = max((int64_t)1, (r.n + P::E - 1) / P::E);
  int64_t half = (int64_t)(epoch & 1) * r.members * r.packetSlots;
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < packets && !failed) {
    float v[P::E], sum[P::E];
#pragma unroll
    for (int e = 0; e < P::E; e++) v[e] = i * P::E + e < r.n ? r.from[i * P::E + e] : 0;
    uint2 own = P::encode(v);
    send(r, half, i, own, epoch);
    Patience patience(r);
    if (gather<HALF>(r, half, i, own, epoch, patience, sum)) {
#pragma unroll
      for (int e = 0; e < P::E; e++) {
        if (i * P::E + e < r.n) r.to[i * P::E + e] = sum[e];
      }
    }
  }
  finish(state, epoch);
}

struct ReduceNorm {
  Reduce reduce;
  Norm norm;
};

// One shot, then what stands behind a sum in every layer: addition, norm, weight and form. A block a
// row, of so many elements at most as its threads keep.
template <bool HALF>
__device__ __forceinline__ void oneShotNorm(const Reduce &r, const Norm &n) {
  typedef Pack<HALF> P;
  const int PACKETS = 4 / P::E;
  releaseNext();
  awaitPrevious();
  State *state = r.states[r.rank];
  unsigned epoch = state->epoch + 1;
  bool good = state->failed == 0;
  int64_t half = (int64_t)(epoch & 1) * r.members * r.packetSlots;
  int64_t at = (int64_t)blockIdx.x * n.n;
  int step = 0;
  Kept terms, kept;
  for (int i = threadIdx.x; i < n.n / 4; i += blockDim.x, step++) {
    float4 v = ((const float4 *)(r.from + at))[i];
    terms.put(step, v);
    float values[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int j = 0; j < PACKETS; j++) {
      if (good) send(r, half, (at / 4 + i) * PACKETS + j, P::encode(values + j * P::E), epoch);
    }
  }
  Patience patience(r);
  float squared = 0;
  step = 0;
  for (int i = threadIdx.x; i < n.n / 4; i += blockDim.x, step++) {
    float4 v = terms.get(step), x = n.input(at, i);
    float values[4] = {v.x, v.y, v.z, v.w}, sum[4] = {0, 0, 0, 0};
#pragma unroll
    for (int j = 0; j < PACKETS; j++) {
      good = good && gather<HALF>(r, half, (at / 4 + i) * PACKETS + j,
                                  P::encode(values + j * P::E), epoch, patience, sum + j * P::E);
    }
    x = plus(x, make_float4(sum[0], sum[1], sum[2], sum[3]));
    if (n.sum) ((float4 *)(n.sum + at))[i] = x;
    kept.put(step, x);
    squared += squares(x);
  }
  n.finish(at, squared, kept);
  finish(state, epoch);
}

// A thread a member waits for its flag; false if somebody gave up.
__device__ __forceinline__ bool await(const Reduce &r, const unsigned (*flags)[MOST_BLOCKS],
                                      unsigned epoch) {
  int m = threadIdx.x;
  int over = 0;
  if (m < r.members && m != r.rank) {
    Patience patience(r);
    while (loadAcquire(&flags[m][blockIdx.x]) != epoch && !over) over = patience.isOver(m);
  }
  return !__syncthreads_or(over);
}

// What a block has written to the others is there once they see the flag.
__device__ __forceinline__ void tell(const Reduce &r, unsigned epoch, bool sums) {
  __syncthreads();
  int m = threadIdx.x;
  if (m < r.members && m != r.rank) {
    __threadfence_system();
    State *other = r.states[m];
    storeRelease(sums ? &other->there[r.rank][blockIdx.x] : &other->here[r.rank][blockIdx.x],
                 epoch);
  }
}

__device__ __forceinline__ void load(const Reduce &r, int64_t i, float *v, int count) {
  if (i + count <= r.n && ((uintptr_t)(r.from + i) & 15) == 0) {
#pragma unroll
    for (int e = 0; e < count; e += 4) *(float4 *)(v + e) = *(const float4 *)(r.from + i + e);
  } else {
#pragma unroll
    for (int e = 0; e < count; e++) v[e] = i + e < r.n ? r.from[i + e] : 0;
  }
}

__device__ __forceinline__ void store(const Reduce &r, int64_t i, const float *v, int count) {
  if (i + count <= r.n && ((uintptr_t)(r.to + i) & 15) == 0) {
#pragma unroll
    for (int e = 0; e < count; e += 4) *(float4 *)(r.to + i + e) = *(const float4 *)(v + e);
  } else {
#pragma unroll
    for (int e = 0; e < count; e++) {
      if (i + e < r.n) r.to[i + e] = v[e];
    }
  }
}

// Every member owns a slice: it gets the others' terms, adds up, and sends the sums back. A block
// takes the same part of each slice through all three stages.
template <bool HALF>
__device__ __forceinline__ void twoShot(const Reduce &r) {
  typedef Pack<HALF> P;
  const int E = 2 * P::E;  // elements in 16 bytes
  awaitPrevious();
  State *state = r.states[r.rank];
  unsigned epoch = state->epoch + 1;
  bool good = state->failed == 0;
  // In units of 16 bytes of the wire.
  int64_t units = (r.n + E - 1) / E, slice = (units + r.members - 1) / r.members;
  int64_t part = (slice + gridDim.x - 1) / gridDim.x;
  int64_t begin = min(slice, blockIdx.x * part), end = min(slice, begin + part);
  int64_t half = (int64_t)(epoch & 1) * 2 * r.members * r.sliceBytes;
  int64_t sums = half + r.members * r.sliceBytes;
  if (good) {
    for (int64_t u = begin + threadIdx.x; u < end; u += blockDim.x) {
      for (int step = 1; step < r.members; step++) {
        int m = r.rank + step < r.members ? r.rank + step : r.rank + step - r.members;
        float v[E];
        load(r, (m * slice + u) * E, v, E);
        uint2 a = P::encode(v), b = P::encode(v + P::E);
        *(uint4 *)(r.slices[m] + half + r.rank * r.sliceBytes + 16 * u) =
            make_uint4(a.x, a.y, b.x, b.y);
      }
    }
    tell(r, epoch, false);
    good = await(r, state->here, epoch);
  }
  if (good) {
    for (int64_t u = begin + threadIdx.x; u < end; u += blockDim.x) {
      int64_t i = (r.rank * slice + u) * E;
      float v[E], sum[E];
      for (int m = 0; m < r.members; m++) {
        uint4 w;
        if (m == r.rank) {
          load(r, i, v, E);
          uint2 a = P::encode(v), b = P::encode(v + P::E);
          w = make_uint4(a.x, a.y, b.x, b.y);
        } else {
          w = __ldcg((const uint4 *)(r.slices[r.rank] + half + m * r.sliceBytes + 16 * u));
        }
        P::decode(make_uint2(w.x, w.y), v);
        P::decode(make_uint2(w.z, w.w), v + P::E);
#pragma unroll
        for (int e = 0; e < E; e++) sum[e] = m == 0 ? v[e] : sum[e] + v[e];
      }
#pragma unroll
      for (int e = 0; e < E; e++) sum[e] = canonical(sum[e]);
      uint2 a = P::encode(sum), b = P::encode(sum + P::E);
      uint4 w = make_uint4(a.x, a.y, b.x, b.y);
      for (int step = 1; step < r.members; step++) {
        int m = r.rank + step < r.members ? r.rank + step : r.rank + step - r.members;
        *(uint4 *)(r.slices[m] + sums + r.rank * r.sliceBytes + 16 * u) = w;
      }
      P::decode(a, sum);
      P::decode(b, sum + P::E);
#pragma unroll
      for (int e = 0; e < E; e++) sum[e] = canonical(sum[e]);
      store(r, i, sum, E);
    }
    tell(r, epoch, true);
    good = await(r, state->there, epoch);
  }
  if (good) {
    for (int m = 0; m < r.members; m++) {
      if (m == r.rank) continue;
      for (int64_t u = begin + threadIdx.x; u < end; u += blockDim.x) {
        uint4 w = __ldcg((const uint4 *)(r.slices[r.rank] + sums + m * r.sliceBytes + 16 * u));
        float v[E];
        P::decode(make_uint2(w.x, w.y), v);
        P::decode(make_uint2(w.z, w.w), v + P::E);
#pragma unroll
        for (int e = 0; e < E; e++) v[e] = canonical(v[e]);
        store(r, (m * slice + u) * E, v, E);
      }
    }
  }
  finish(state, epoch);
}

extern "C" __global__ void __launch_bounds__(256) one_shot_f32(Reduce r) { oneShot<false>(r); }
extern "C" __global__ void __launch_bounds__(256) one_shot_bf16(Reduce r) { oneShot<true>(r); }
extern "C" __global__ void __launch_bounds__(1024) one_shot_norm_f32(ReduceNorm r) {
  oneShotNorm<false>(r.reduce, r.norm);
}
extern "C" __global__ void __launch_bounds__(1024) one_shot_norm_bf16(ReduceNorm r) {
  oneShotNorm<true>(r.reduce, r.norm);
}
extern "C" __global__ void __launch_bounds__(512) two_shot_f32(Reduce r) { twoShot<false>(r); }
extern "C" __global__ void __launch_bounds__(512) two_shot_bf16(Reduce r) { twoShot<true>(r); }
