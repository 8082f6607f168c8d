// SPDX-License-Identifier: Apache-2.0
// Sums over the members of a comm through each other's memory, launched alike on every member. Each
// element is added up in member order, in F32, so every way gives the same bits. In one shot all
// members send all of their term to all others; in two shots a member owns a slice, gets the others'
// terms of it and sends the sums back. What is sent has the reduce's number beside it in every 16
// bytes (packets: no wait between data and signal, twice the bytes), or a flag behind it (flags).
// Every wait is bounded, and ends early when the host calls the comm off; what went wrong is written
// where the host reads it.
#include "norm.cuh"

const int MOST_MEMBERS = 8, MOST_BLOCKS = 256;

// A member's own; the host zeroes it once.
struct State {
  uint64_t epoch;  // reduces so far
  unsigned done;   // blocks of the running one
  int failed;
  int pad[60];
  uint64_t here[MOST_MEMBERS][MOST_BLOCKS];   // terms have come, by their sender
  uint64_t there[MOST_MEMBERS][MOST_BLOCKS];  // sums have come, by their owner
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
  int64_t chunk;  // units of 16 bytes between two flags
  int members;
  int rank;

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

// The sum of everybody's packet; false if one did not come. Several are looked at at once.
template <bool HALF>
__device__ __forceinline__ bool gather(const Reduce &r, const Mail &mail, int64_t i, uint2 own,
                                       Patience &patience, float *sum) {
  typedef Pack<HALF> P;
  const int AT_ONCE = 4;
  for (int first = 0; first < r.members; first += AT_ONCE) {
    uint4 p[AT_ONCE];
#pragma unroll
    for (int j = 0; j < AT_ONCE; j++) {
      int m = first + j;
      p[j] = make_uint4(own.x, mail.mark, own.y, mail.mark);
      if (m < r.members && m != r.rank) p[j] = loadPacket(mail.slot(r, r.rank, m, i));
    }
#pragma unroll
    for (int j = 0; j < AT_ONCE; j++) {
      int m = first + j;
      if (m < r.members) {
        if (!mail.await(r, m, i, p + j, patience)) return false;
        float v[P::E];
        P::decode(make_uint2(p[j].x, p[j].z), v);
#pragma unroll
        for (int e = 0; e < P::E; e++) sum[e] = m == 0 ? v[e] : sum[e] + v[e];
      }
    }
  }
  round<HALF, P::E>(sum);
  return true;
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
    if (gather<HALF>(r, mail, i, own, patience, sum)) storeFew<P::E>(r, i * P::E, sum);
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
    Patience patience(r);
    if (gather<HALF>(r, mail, u, P::encode(v), patience, sum)) {
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
  uint64_t epoch = state->epoch + 1;
  bool good = state->failed == 0;
  Mail mail(r, epoch);
  int64_t at = (int64_t)blockIdx.x * n.n;
  int step = 0;
  Kept kept;
  for (int i = threadIdx.x; i < n.n / 4; i += blockDim.x, step++) {
    float4 v = ((const float4 *)(r.from + at))[i];
    float values[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int j = 0; j < PACKETS; j++) {
      if (good) mail.sendAll(r, (at / 4 + i) * PACKETS + j, P::encode(values + j * P::E));
    }
  }
  Patience patience(r);
  float squared = 0;
  step = 0;
  for (int i = threadIdx.x; i < n.n / 4; i += blockDim.x, step++) {
    float4 v = ((const float4 *)(r.from + at))[i], x = n.input(at, i);
    float values[4] = {v.x, v.y, v.z, v.w}, sum[4] = {0, 0, 0, 0};
#pragma unroll
    for (int j = 0; j < PACKETS; j++) {
      good = good && gather<HALF>(r, mail, (at / 4 + i) * PACKETS + j,
                                  P::encode(values + j * P::E), patience, sum + j * P::E);
    }
    x = plus(x, make_float4(sum[0], sum[1], sum[2], sum[3]));
    if (n.sum) ((float4 *)(n.sum + at))[i] = x;
    kept.put(step, x);
    squared += squares(x);
  }
  n.finish(at, squared, kept);
  finish(state, epoch);
}

// What is sent with flags: a block has the same part of everything, and goes through it in chunks;
// while one chunk travels the one before is added up. A unit is 16 bytes of the wire; a thread has
// BATCH of them under way. Each sender has a piece of an inbox, whose second half is for sums.
template <bool HALF>
struct Flow {
  typedef Pack<HALF> P;
  static const int E = 2 * P::E;
  static const int BATCH = HALF ? 2 : 4;

  const Reduce &r;
  State *state;
  uint64_t epoch;
  bool good;
  int64_t begin, end, half, piece;

  __device__ __forceinline__ Flow(const Reduce &reduce, int64_t units)
      : r(reduce), state(reduce.states[reduce.rank]), epoch(state->epoch + 1) {
    good = !__syncthreads_or(state->failed);
    int64_t part = (units + gridDim.x - 1) / gridDim.x;
    begin = min(units, blockIdx.x * part);
    end = min(units, begin + part);
    half = (int64_t)(epoch & 1) * r.inboxBytes;
    piece = r.inboxBytes / r.members & ~(int64_t)31;
  }

  __device__ __forceinline__ int chunks() const {
    return good ? (int)((end - begin + r.chunk - 1) / r.chunk) : 0;
  }
  __device__ __forceinline__ int64_t first(int chunk) const { return begin + chunk * r.chunk; }
  __device__ __forceinline__ int64_t last(int chunk) const {
    return min(end, first(chunk) + r.chunk);
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
  __device__ __forceinline__ void each(int chunk, Load load, Use use) const {
    int64_t to = last(chunk);
    for (int64_t u = first(chunk) + threadIdx.x; u < to; u += BATCH * blockDim.x) {
      uint4 w[BATCH];
#pragma unroll
      for (int j = 0; j < BATCH; j++) {
        if (u + j * blockDim.x < to) w[j] = load(u + j * blockDim.x);
      }
#pragma unroll
      for (int j = 0; j < BATCH; j++) {
        if (u + j * blockDim.x < to) use(u + j * blockDim.x, w[j]);
      }
    }
  }

  // Hands on the sums of a chunk; the own term is so many units further on.
  template <typename Use>
  __device__ __forceinline__ void addUp(int chunk, int64_t further, Use use) const {
    int64_t to = last(chunk);
    for (int64_t u = first(chunk) + threadIdx.x; u < to; u += BATCH * blockDim.x) {
      float sum[BATCH][E];
      for (int m = 0; m < r.members; m++) {
        uint4 w[BATCH];
#pragma unroll
        for (int j = 0; j < BATCH; j++) {
          int64_t at = u + j * blockDim.x;
          if (at < to) w[j] = m == r.rank ? own(further + at) : __ldcg(place(r.rank, m, false, at));
        }
#pragma unroll
        for (int j = 0; j < BATCH; j++) {
          float v[E];
          decode(w[j], v);
#pragma unroll
          for (int e = 0; e < E; e++) sum[j][e] = m == 0 ? v[e] : sum[j][e] + v[e];
        }
      }
#pragma unroll
      for (int j = 0; j < BATCH; j++) {
        if (u + j * blockDim.x < to) {
          round<HALF, E>(sum[j]);
          use(u + j * blockDim.x, sum[j]);
        }
      }
    }
  }

  __device__ __forceinline__ uint64_t mark(int chunk) const { return epoch << 16 | (chunk + 1); }

  // What a block has written to the others is there once they see the flag.
  __device__ __forceinline__ void tell(int chunk, bool sums) const {
    __syncthreads();
    int m = threadIdx.x;
    if (m < r.members && m != r.rank) {
      State *other = r.states[m];
      storeRelease(
          sums ? &other->there[r.rank][blockIdx.x] : &other->here[r.rank][blockIdx.x],
          mark(chunk));
    }
  }

  // A thread a member waits for its flag; false if somebody gave up.
  __device__ __forceinline__ bool await(int chunk, bool sums) {
    int m = threadIdx.x;
    int over = 0;
    if (m < r.members && m != r.rank) {
      const uint64_t *flag = sums ? &state->there[m][blockIdx.x] : &state->here[m][blockIdx.x];
      Patience patience(r);
      while (loadAcquire(flag) < mark(chunk) && !over) over = patience.isOver(m);
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
  int chunks = flow.chunks();
  for (int c = 0; c <= chunks; c++) {
    if (c < chunks) {
      flow.each(c, [&](int64_t u) { return flow.own(u); },
                [&](int64_t u, uint4 w) {
                  for (int step = 1; step < r.members; step++) {
                    *flow.place(r.peer(step), r.rank, false, u) = w;
                  }
                });
      flow.tell(c, false);
    }
    if (c > 0) {
      if (!flow.await(c - 1, false)) break;
      flow.addUp(c - 1, 0, [&](int64_t u, const float *sum) { flow.store(u, sum); });
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
  int chunks = flow.chunks();
  for (int c = 0; c < chunks + 2; c++) {
    if (c < chunks) {
      for (int step = 1; step < r.members; step++) {
        int m = r.peer(step);
        flow.each(c, [&](int64_t u) { return flow.own(m * slice + u); },
                  [&](int64_t u, uint4 w) { *flow.place(m, r.rank, false, u) = w; });
      }
      flow.tell(c, false);
    }
    if (c >= 1 && c <= chunks) {
      if (!flow.await(c - 1, false)) break;
      flow.addUp(c - 1, mine, [&](int64_t u, const float *sum) {
        uint4 w = F::encode(sum);
        for (int step = 1; step < r.members; step++) *flow.place(r.peer(step), r.rank, true, u) = w;
        flow.store(mine + u, sum);
      });
      flow.tell(c - 1, true);
    }
    if (c >= 2) {
      if (!flow.await(c - 2, true)) break;
      for (int step = 1; step < r.members; step++) {
        int m = r.peer(step);
        flow.each(c - 2, [&](int64_t u) { return __ldcg(flow.place(r.rank, m, true, u)); },
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

#define WAY(NAME, FUNCTION, THREADS, BLOCKS)                                           \
  extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) NAME##_f32(Reduce r) {  \
    FUNCTION<false>(r);                                                                \
  }                                                                                    \
  extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) NAME##_bf16(Reduce r) { \
    FUNCTION<true>(r);                                                                 \
  }

WAY(one_shot_packets, oneShotPackets, 256, 4)
WAY(two_shot_packets, twoShotPackets, 256, 4)
WAY(one_shot_flags, oneShotFlags, 512, 2)
WAY(two_shot_flags, twoShotFlags, 512, 2)
extern "C" __global__ void __launch_bounds__(1024) one_shot_norm_f32(ReduceNorm r) {
  oneShotNorm<false>(r.reduce, r.norm);
}
extern "C" __global__ void __launch_bounds__(1024) one_shot_norm_bf16(ReduceNorm r) {
  oneShotNorm<true>(r.reduce, r.norm);
}
