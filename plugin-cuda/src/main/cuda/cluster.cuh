// SPDX-License-Identifier: Apache-2.0
// A row by the blocks of a cluster.
#pragma once
#include "common.cuh"

const int MOST_IN_CLUSTER = 8;

// For at most one sum and one largest value.
struct Cluster {
  float *found;  // [2][MOST_IN_CLUSTER], in shared memory
  unsigned rank = clusterRank(), size = clusterSize();

  // Returns when all blocks are there.
  __device__ __forceinline__ explicit Cluster(float *shared) : found(shared) {
    if (size > 1) awaitCluster();
  }

  __device__ __forceinline__ int first() const { return rank * blockDim.x + threadIdx.x; }
  __device__ __forceinline__ int count() const { return size * blockDim.x; }
  __device__ __forceinline__ float sum(float x) const {
    return across<false>(blockReduce<false>(x), found);
  }
  __device__ __forceinline__ float largest(float x) const {
    return across<true>(blockReduce<true>(x), found + MOST_IN_CLUSTER);
  }

 private:
  template <bool MAX>
  __device__ __forceinline__ float across(float x, float *places) const {
    if (size == 1) return x;
    if (threadIdx.x < size) storeAcross(places + rank, threadIdx.x, x);
    awaitCluster();
    x = places[0];
    for (unsigned i = 1; i < size; i++) x = MAX ? fmaxf(x, places[i]) : x + places[i];
    return x;
  }
};
