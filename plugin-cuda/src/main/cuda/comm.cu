// SPDX-License-Identifier: Apache-2.0
// The kernels of a comm; see comm.cuh.
#include "cluster.cuh"
#include "flags.cuh"
#include "norm.cuh"
#include "packets.cuh"

struct ReduceNorm {
  Reduce reduce;
  Norm norm;
};

// One shot, then what stands behind a sum in every layer: addition, norm, weight and form. A cluster a
// row, of so many elements at most as its threads keep: one block alone would send and receive as
// slowly as one multiprocessor does. A term that its product has sent is only received.
template <bool HALF>
__device__ __forceinline__ void oneShotNorm(const Reduce &r, const Norm &n) {
  typedef Pack<HALF> P;
  const int PACKETS = 4 / P::E;
  __shared__ float found[2 * MOST_IN_CLUSTER];
  Cluster cluster(found);
  KeptOf<2> weights = n.early<2>(cluster);
  Kept kept;
  releaseNext();
  if (!r.sent) awaitPrevious();
  State *state = r.states[r.rank];
  uint64_t epoch = state->next();
  bool good = state->failed == 0;
  Mail mail(r, epoch);
  int64_t at = (int64_t)(blockIdx.x / cluster.size) * n.n;
  const float4 *from = (const float4 *)(r.from + at);
  auto own = [&](int i, uint2 *packets) {
    encode<HALF>(r.sent ? make_float4(0, 0, 0, 0) : from[i], packets);
  };
  for (int i = cluster.first(); i < n.n / 4 && good && !r.sent; i += cluster.count()) {
    uint2 term[PACKETS];
    own(i, term);
#pragma unroll
    for (int j = 0; j < PACKETS; j++) mail.sendAll(r, (at / 4 + i) * PACKETS + j, term[j]);
  }
  Patience patience(r);
  float squared = 0;
  int step = 0;
  for (int i = cluster.first(); i < n.n / 4; i += cluster.count(), step++) {
    float4 x = n.input(at, i);
    uint2 term[PACKETS];
    own(i, term);
    float sum[4] = {0, 0, 0, 0};
    good = good && gather<HALF, PACKETS>(r, mail, (at / 4 + i) * PACKETS, term, patience, sum);
    x = plus(x, make_float4(sum[0], sum[1], sum[2], sum[3]));
    if (n.sum) ((float4 *)(n.sum + at))[i] = x;
    kept.put(step, x);
    squared += squares(x);
  }
  n.finish(at, squared, kept, weights, cluster);
  finish(state, epoch);
  if (r.sent) awaitPrevious();
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
extern "C" __global__ void __launch_bounds__(256) one_shot_norm_f32(ReduceNorm r) {
  oneShotNorm<false>(r.reduce, r.norm);
}
extern "C" __global__ void __launch_bounds__(256) one_shot_norm_bf16(ReduceNorm r) {
  oneShotNorm<true>(r.reduce, r.norm);
}
