// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

const int MOST_WEIGHTS = 4;

// Where products of several weights with the same activations go.
struct TileResults {
  float *result[MOST_WEIGHTS];
  const float *factors;            // of the columns; see Form of activations.cuh
  int rows[MOST_WEIGHTS];
  int first[MOST_WEIGHTS];   // tile of 128 rows
  int64_t step[MOST_WEIGHTS];  // from column to column of a result
  int count;
  int columns;
  int k;

  __device__ __forceinline__ void put(int i, int m, int n, float x) const {
    if (m >= rows[i] || n >= columns) return;
    result[i][n * step[i] + m] = x * factors[n];
  }
};
