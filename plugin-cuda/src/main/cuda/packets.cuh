// SPDX-License-Identifier: Apache-2.0
// Sums whose packets of 16 bytes say themselves which reduce they belong to.
#pragma once
#include "comm.cuh"

// Where a reduce's packets go, and what marks them.
struct Mail {
  int64_t half;
  unsigned mark;

  __device__ __forceinline__ Mail(const Reduce &r, uint64_t epoch)
      : half((int64_t)(epoch & 1) * r.members * r.packetSlots), mark((unsigned)epoch) {}

  __device__ __forceinline__ char *slot(const Reduce &r, int to, int from, int64_t i) const {
    return r.packets[to] + 16 * (half + from * r.packetSlots + i);
  }

  __device__ __forceinline__ void send(const Reduce &r, int m, int64_t i, uint2 data) const {
    storePacket(slot(r, m, r.rank, i), make_uint4(data.x, mark, data.y, mark));
  }

  __device__ __forceinline__ void sendAll(const Reduce &r, int64_t i, uint2 data) const {
    for (int step = 1; step < r.members; step++) send(r, r.peer(step), i, data);
  }

  __device__ __forceinline__ bool came(uint4 p) const { return p.y == mark && p.w == mark; }

  // What a member sent; false if it did not come. The packet was looked at once already.
  __device__ __forceinline__ bool await(const Reduce &r, int m, int64_t i, uint4 *p,
                                        Patience &patience) const {
    while (!came(*p)) {
      if (patience.isOver(m)) return false;
      *p = loadPacket(slot(r, r.rank, m, i));
    }
    return true;
  }
};

// The sums of COUNT packets of everybody's from the i-th on; false if one did not come. Those of
// several members are looked at at once.
template <bool HALF, int COUNT>
__device__ __forceinline__ bool gather(const Reduce &r, const Mail &mail, int64_t i,
                                       const uint2 *own, Patience &patience, float *sum) {
  typedef Pack<HALF> P;
  const int AT_ONCE = 4;
  for (int first = 0; first < r.members; first += AT_ONCE) {
    uint4 p[AT_ONCE][COUNT];
#pragma unroll
    for (int j = 0; j < AT_ONCE; j++) {
      int m = first + j;
#pragma unroll
      for (int c = 0; c < COUNT; c++) {
        p[j][c] = make_uint4(own[c].x, mail.mark, own[c].y, mail.mark);
        if (m < r.members && m != r.rank) p[j][c] = loadPacket(mail.slot(r, r.rank, m, i + c));
      }
    }
#pragma unroll
    for (int j = 0; j < AT_ONCE; j++) {
      int m = first + j;
      if (m < r.members) {
#pragma unroll
        for (int c = 0; c < COUNT; c++) {
          if (!mail.await(r, m, i + c, &p[j][c], patience)) return false;
          float v[P::E];
          P::decode(make_uint2(p[j][c].x, p[j][c].z), v);
#pragma unroll
          for (int e = 0; e < P::E; e++) {
            float &s = sum[c * P::E + e];
            s = m == 0 ? v[e] : s + v[e];
          }
        }
      }
    }
  }
  round<HALF, COUNT * P::E>(sum);
  return true;
}

template <bool HALF>
__device__ __forceinline__ void oneShotPackets(const Reduce &r) {
  typedef Pack<HALF> P;
  releaseNext();
  awaitPrevious();
  State *state = r.states[r.rank];
  uint64_t epoch = state->epoch + 1;
  bool failed = state->failed != 0;
  int64_t packets = max((int64_t)1, (r.n + P::E - 1) / P::E);
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < packets && !failed) {
    Mail mail(r, epoch);
    float v[P::E], sum[P::E];
    loadFew<P::E>(r, i * P::E, v);
    uint2 own = P::encode(v);
    mail.sendAll(r, i, own);
    Patience patience(r);
    if (gather<HALF, 1>(r, mail, i, &own, patience, sum)) storeFew<P::E>(r, i * P::E, sum);
  }
  finish(state, epoch);
}

// Terms come to the first half of the slots, sums to the second.
template <bool HALF>
__device__ __forceinline__ void twoShotPackets(const Reduce &r) {
  typedef Pack<HALF> P;
  releaseNext();
  awaitPrevious();
  State *state = r.states[r.rank];
  uint64_t epoch = state->epoch + 1;
  bool failed = state->failed != 0;
  int64_t packets = max((int64_t)1, (r.n + P::E - 1) / P::E);
  int64_t slice = (packets + r.members - 1) / r.members, sums = r.packetSlots / 2;
  int64_t u = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (u < slice && !failed) {
    Mail mail(r, epoch);
    for (int step = 1; step < r.members; step++) {
      int m = r.peer(step);
      float v[P::E];
      loadFew<P::E>(r, (m * slice + u) * P::E, v);
      mail.send(r, m, u, P::encode(v));
    }
    float v[P::E], sum[P::E];
    int64_t i = (r.rank * slice + u) * P::E;
    loadFew<P::E>(r, i, v);
    uint2 own = P::encode(v);
    Patience patience(r);
    if (gather<HALF, 1>(r, mail, u, &own, patience, sum)) {
      mail.sendAll(r, sums + u, P::encode(sum));
      storeFew<P::E>(r, i, sum);
      for (int step = 1; step < r.members; step++) {
        int m = r.peer(step);
        uint4 p = loadPacket(mail.slot(r, r.rank, m, sums + u));
        if (!mail.await(r, m, sums + u, &p, patience)) break;
        P::decode(make_uint2(p.x, p.z), v);
#pragma unroll
        for (int e = 0; e < P::E; e++) v[e] = canonical(v[e]);
        storeFew<P::E>(r, (m * slice + u) * P::E, v);
      }
    }
  }
  finish(state, epoch);
}
