// SPDX-License-Identifier: Apache-2.0
// Sums whose data has a flag behind it.
#pragma once
#include "comm.cuh"

// What is sent with flags: a block has the same part of everything. While one block's part travels,
// others add up. A unit is 16 bytes of the wire; a thread has several of them under way. Each sender
// has a piece of an inbox, whose second half is for sums.
template <bool HALF>
struct Flow {
  typedef Pack<HALF> P;
  static const int E = 2 * P::E;
  static const int MOVED = HALF ? 2 : 4, ADDED = HALF ? 2 : 4;

  const Reduce &r;
  State *state;
  uint64_t epoch;
  bool good;
  int64_t begin, end, half, piece;

  __device__ __forceinline__ Flow(const Reduce &reduce, int64_t units)
      : r(reduce), state(reduce.states[reduce.rank]), epoch(state->next()) {
    good = !__syncthreads_or(state->failed);
    int64_t part = (units + gridDim.x - 1) / gridDim.x;
    begin = min(units, blockIdx.x * part);
    end = min(units, begin + part);
    half = (int64_t)(epoch & 1) * r.inboxBytes;
    piece = r.inboxBytes / r.members & ~(int64_t)31;
  }

  __device__ __forceinline__ uint4 *place(int at, int from, bool sums, int64_t u) const {
    return (uint4 *)(r.inboxes[at] + half + from * piece + (sums ? piece / 2 : 0)) + u;
  }

  static __device__ __forceinline__ uint4 encode(const float *v) {
    uint2 a = P::encode(v), b = P::encode(v + P::E);
    return make_uint4(a.x, a.y, b.x, b.y);
  }
  static __device__ __forceinline__ void decode(uint4 w, float *v) {
    P::decode(make_uint2(w.x, w.y), v);
    P::decode(make_uint2(w.z, w.w), v + P::E);
  }

  // The member's own term.
  __device__ __forceinline__ uint4 own(int64_t u) const {
    int64_t i = u * E;
    float v[E];
    if (i + E <= r.n && ((uintptr_t)r.from & 15) == 0) {
#pragma unroll
      for (int e = 0; e < E; e += 4) *(float4 *)(v + e) = *(const float4 *)(r.from + i + e);
    } else {
      loadFew<E>(r, i, v);
    }
    return encode(v);
  }

  __device__ __forceinline__ void store(int64_t u, const float *v) const {
    int64_t i = u * E;
    if (i + E <= r.n && ((uintptr_t)r.to & 15) == 0) {
#pragma unroll
      for (int e = 0; e < E; e += 4) *(float4 *)(r.to + i + e) = *(const float4 *)(v + e);
    } else {
      storeFew<E>(r, i, v);
    }
  }

  template <typename Load, typename Use>
  __device__ __forceinline__ void each(Load load, Use use) const {
    for (int64_t u = begin + threadIdx.x; u < end; u += MOVED * blockDim.x) {
      uint4 w[MOVED];
#pragma unroll
      for (int j = 0; j < MOVED; j++) {
        if (u + j * blockDim.x < end) w[j] = load(u + j * blockDim.x);
      }
#pragma unroll
      for (int j = 0; j < MOVED; j++) {
        if (u + j * blockDim.x < end) use(u + j * blockDim.x, w[j]);
      }
    }
  }

  // Hands on the sums; the own term is so many units further on.
  template <typename Use>
  __device__ __forceinline__ void addUp(int64_t further, Use use) const {
    for (int64_t u = begin + threadIdx.x; u < end; u += ADDED * blockDim.x) {
      float sum[ADDED][E];
      for (int m = 0; m < r.members; m++) {
        uint4 w[ADDED];
#pragma unroll
        for (int j = 0; j < ADDED; j++) {
          int64_t at = u + j * blockDim.x;
          if (at < end) w[j] = m == r.rank ? own(further + at) : __ldcg(place(r.rank, m, false, at));
        }
#pragma unroll
        for (int j = 0; j < ADDED; j++) {
          float v[E];
          decode(w[j], v);
#pragma unroll
          for (int e = 0; e < E; e++) sum[j][e] = m == 0 ? v[e] : sum[j][e] + v[e];
        }
      }
#pragma unroll
      for (int j = 0; j < ADDED; j++) {
        if (u + j * blockDim.x < end) {
          round<HALF, E>(sum[j]);
          use(u + j * blockDim.x, sum[j]);
        }
      }
    }
  }

  // What a block has written to the others is there once they see the flag.
  __device__ __forceinline__ void tell(bool sums) const {
    __syncthreads();
    int m = threadIdx.x;
    if (m < r.members && m != r.rank) {
      State *other = r.states[m];
      storeRelease(
          sums ? &other->there[r.rank][blockIdx.x] : &other->here[r.rank][blockIdx.x], epoch);
    }
  }

  // A thread a member waits for its flag; false if somebody gave up. In one shot a member may be one
  // reduce ahead: it needs what the others told, not that they have looked at what it told them. So
  // a flag may say more than what is waited for.
  __device__ __forceinline__ bool await(bool sums) {
    int m = threadIdx.x;
    int over = 0;
    if (m < r.members && m != r.rank) {
      const uint64_t *flag = sums ? &state->there[m][blockIdx.x] : &state->here[m][blockIdx.x];
      Patience patience(r);
      while (loadAcquire(flag) < epoch && !over) over = patience.isOver(m);
    }
    good = !__syncthreads_or(over);
    return good;
  }
};

template <bool HALF>
__device__ __forceinline__ void oneShotFlags(const Reduce &r) {
  typedef Flow<HALF> F;
  releaseNext();
  awaitPrevious();
  F flow(r, max((int64_t)1, (r.n + F::E - 1) / F::E));
  if (flow.good) {
    flow.each([&](int64_t u) { return flow.own(u); },
              [&](int64_t u, uint4 w) {
                for (int step = 1; step < r.members; step++) {
                  *flow.place(r.peer(step), r.rank, false, u) = w;
                }
              });
    flow.tell(false);
    if (flow.await(false)) {
      flow.addUp(0, [&](int64_t u, const float *sum) { flow.store(u, sum); });
    }
  }
  finish(flow.state, flow.epoch);
}

template <bool HALF>
__device__ __forceinline__ void twoShotFlags(const Reduce &r) {
  typedef Flow<HALF> F;
  releaseNext();
  awaitPrevious();
  int64_t slice = max((int64_t)1, ((r.n + F::E - 1) / F::E + r.members - 1) / r.members);
  int64_t mine = r.rank * slice;
  F flow(r, slice);
  if (flow.good) {
    for (int step = 1; step < r.members; step++) {
      int m = r.peer(step);
      flow.each([&](int64_t u) { return flow.own(m * slice + u); },
                [&](int64_t u, uint4 w) { *flow.place(m, r.rank, false, u) = w; });
    }
    flow.tell(false);
    if (flow.await(false)) {
      flow.addUp(mine, [&](int64_t u, const float *sum) {
        uint4 w = F::encode(sum);
        for (int step = 1; step < r.members; step++) *flow.place(r.peer(step), r.rank, true, u) = w;
        flow.store(mine + u, sum);
      });
      flow.tell(true);
    }
    if (flow.good && flow.await(true)) {
      for (int step = 1; step < r.members; step++) {
        int m = r.peer(step);
        flow.each([&](int64_t u) { return __ldcg(flow.place(r.rank, m, true, u)); },
                  [&](int64_t u, uint4 w) {
                    float v[F::E];
                    F::decode(w, v);
#pragma unroll
                    for (int e = 0; e < F::E; e++) v[e] = canonical(v[e]);
                    flow.store(m * slice + u, v);
                  });
      }
    }
  }
  finish(flow.state, flow.epoch);
}
