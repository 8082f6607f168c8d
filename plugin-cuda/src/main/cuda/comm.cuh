// SPDX-License-Identifier: Apache-2.0
// Sums over the members of a comm through each other's memory, launched alike on every member. Each
// element is added up in member order, in F32, so every way gives the same bits. In one shot all
// members send all of their term to all others; in two shots a member owns a slice, gets the others'
// terms of it and sends the sums back. What is sent has the reduce's number beside it in every 16
// bytes (packets: no wait between data and signal, twice the bytes), or a flag behind it (flags).
// Every wait is bounded, and ends early when the host calls the comm off; what went wrong is written
// where the host reads it.
#pragma once
#include "common.cuh"

const int MOST_MEMBERS = 8, MOST_BLOCKS = 256;

// A member's own; the host zeroes it once.
struct State {
  uint64_t epoch;  // reduces so far
  unsigned done;   // blocks of the running one
  int failed;
  int pad[60];
  uint64_t here[MOST_MEMBERS][MOST_BLOCKS];   // terms have come, by their sender
  uint64_t there[MOST_MEMBERS][MOST_BLOCKS];  // sums have come, by their owner

  // The number of the reduce that runs or comes next, after the kernels ahead have ended.
  __device__ __forceinline__ uint64_t next() const {
    return __ldcg((const unsigned long long *)&epoch) + 1;
  }
};

struct Reduce {
  State *states[MOST_MEMBERS];
  char *packets[MOST_MEMBERS];  // [2][members][packetSlots], 16 bytes each
  char *inboxes[MOST_MEMBERS];  // [2][inboxBytes], for what has flags
  const float *from;
  float *to;
  const volatile int *calledOff;  // the host's
  volatile int *error;            // the host's: 1 + the member that did not come
  int64_t n;
  int64_t limit;  // nanoseconds
  int64_t packetSlots;
  int64_t inboxBytes;
  int members;
  int rank;
  int sent;  // the product that made the term has sent it to all, this member too
  int pad;

  // The member that a rank sends to in a step from 1 on: at no time do all send to the same.
  __device__ __forceinline__ int peer(int step) const {
    int m = rank + step;
    return m < members ? m : m - members;
  }
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

template <bool HALF>
__device__ __forceinline__ void encode(float4 v, uint2 *own) {
  float values[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
  for (int j = 0; j < 4 / Pack<HALF>::E; j++) own[j] = Pack<HALF>::encode(values + j * Pack<HALF>::E);
}

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

__device__ __forceinline__ void finish(State *state, uint64_t epoch) {
  __syncthreads();
  if (threadIdx.x == 0 && atomicInc(&state->done, gridDim.x - 1) == gridDim.x - 1) {
    state->epoch = epoch;
  }
}

// As the wire would bring it.
template <bool HALF, int E>
__device__ __forceinline__ void round(float *sum) {
  typedef Pack<HALF> P;
#pragma unroll
  for (int e = 0; e < E; e++) sum[e] = canonical(sum[e]);
  if (HALF) {
#pragma unroll
    for (int e = 0; e < E; e += P::E) P::decode(P::encode(sum + e), sum + e);
#pragma unroll
    for (int e = 0; e < E; e++) sum[e] = canonical(sum[e]);
  }
}

template <int E>
__device__ __forceinline__ void loadFew(const Reduce &r, int64_t i, float *v) {
#pragma unroll
  for (int e = 0; e < E; e++) v[e] = i + e < r.n ? r.from[i + e] : 0;
}

template <int E>
__device__ __forceinline__ void storeFew(const Reduce &r, int64_t i, const float *v) {
#pragma unroll
  for (int e = 0; e < E; e++) {
    if (i + e < r.n) r.to[i + e] = v[e];
  }
}
