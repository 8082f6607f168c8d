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
};

// COUNT packets, from the i-th on, of each of some members; the own ones are there already, unless they
// were sent as well. All that are missing are looked at at once: a look takes as long as a way through
// the chip.
template <int COUNT>
struct Inbox {
  static const int MEMBERS = 4;
  uint4 p[MEMBERS][COUNT];

  // False if one did not come.
  __device__ __forceinline__ bool await(const Reduce &r, const Mail &mail, int first, int64_t i,
                                        const uint2 *own, Patience &patience) {
#pragma unroll
    for (int j = 0; j < MEMBERS; j++) {
#pragma unroll
      for (int c = 0; c < COUNT; c++) {
        bool here = first + j == (r.sent ? -1 : r.rank) || first + j >= r.members;
        unsigned seen = here ? mail.mark : ~mail.mark;
        p[j][c] = make_uint4(own[c].x, seen, own[c].y, seen);
      }
    }
    while (true) {
#pragma unroll
      for (int j = 0; j < MEMBERS; j++) {
#pragma unroll
        for (int c = 0; c < COUNT; c++) {
          if (!mail.came(p[j][c])) p[j][c] = loadPacket(mail.slot(r, r.rank, first + j, i + c));
        }
      }
      int missing = -1;
#pragma unroll
      for (int j = 0; j < MEMBERS; j++) {
#pragma unroll
        for (int c = 0; c < COUNT; c++) {
          if (!mail.came(p[j][c])) missing = first + j;
        }
      }
      if (missing < 0) return true;
      if (patience.isOver(missing)) return false;
    }
  }

  __device__ __forceinline__ uint2 data(int j, int c) const {
    return make_uint2(p[j][c].x, p[j][c].z);
  }
};

// The sums of COUNT packets of everybody's; false if one did not come.
template <bool HALF, int COUNT>
__device__ __forceinline__ bool gather(const Reduce &r, const Mail &mail, int64_t i,
                                       const uint2 *own, Patience &patience, float *sum) {
  typedef Pack<HALF> P;
  typedef Inbox<COUNT> I;
  for (int first = 0; first < r.members; first += I::MEMBERS) {
    I inbox;
    if (!inbox.await(r, mail, first, i, own, patience)) return false;
#pragma unroll
    for (int j = 0; j < I::MEMBERS; j++) {
#pragma unroll
      for (int c = 0; c < COUNT; c++) {
        float v[P::E];
        P::decode(inbox.data(j, c), v);
#pragma unroll
        for (int e = 0; e < P::E; e++) {
          float &s = sum[c * P::E + e];
          if (first + j < r.members) s = first + j == 0 ? v[e] : s + v[e];
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
  uint64_t epoch = state->next();
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
  uint64_t epoch = state->next();
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
      typedef Inbox<1> I;
      for (int first = 0; first < r.members; first += I::MEMBERS) {
        I inbox;
        if (!inbox.await(r, mail, first, sums + u, &own, patience)) break;
#pragma unroll
        for (int j = 0; j < I::MEMBERS; j++) {
          int m = first + j;
          if (m < r.members && m != r.rank) {
            P::decode(inbox.data(j, 0), v);
#pragma unroll
            for (int e = 0; e < P::E; e++) v[e] = canonical(v[e]);
            storeFew<P::E>(r, (m * slice + u) * P::E, v);
          }
        }
      }
    }
  }
  finish(state, epoch);
}
