// SPDX-License-Identifier: Apache-2.0
// What a product whose weights run through rings is given; see RingKernels.java.
#pragma once
#include "activations.cuh"
#include "decode.cuh"
#include "packets.cuh"

// A weight, whose rows are taken in pairs; or a gate and what it opens, whose rows make pairs.
struct Stretch {
  const uint8_t *w;
  const uint8_t *opened;  // or null
  float *result;
  int64_t rowBytes;
  int64_t openedBytes;
  int rows;
  int type;
  int first;  // pair
  int pad;
};

// The norm that makes the activations, if every block makes them for itself.
struct Source {
  const float *x;       // or null: they are ready
  const float *other;   // added to x first, or null
  float *sum;           // where x + other goes, or null
  const float *weight;
  float eps;
  int pad;
};

struct Ring {
  Stretch stretches[4];
  Source source;
  const char *ready;  // activations: F32, or Quants; or null
  char *form;         // Quants of what gates open, or null
  int k;
  int count;       // stretches
  int pairs;       // of all of them
  int places;      // of a warp
  int placeBytes;  // for a chunk of two rows
  int xBytes;      // in shared memory
  int function;
  float p0;
  float p1;
  int pad;
  Reduce reduce;  // where results are sent to, or activations come from; or no members
};

__device__ __forceinline__ int bytesOf(int type, int n) {
  switch (type) {
    case Q4_K: return n / 256 * Block<Q4_K>::bytes;
    case Q5_K: return n / 256 * Block<Q5_K>::bytes;
    case Q6_K: return n / 256 * Block<Q6_K>::bytes;
    case Q8_0: return n / 32 * Block<Q8_0>::bytes;
    case Q4_0: return n / 32 * Block<Q4_0>::bytes;
    default: return 2 * n;
  }
}
