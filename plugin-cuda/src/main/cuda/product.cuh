// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "decode.cuh"

struct Product {
  Tensor w;
  Tensor x;
  float *result;
  const char *ids;  // of experts, or null
  int64_t idStep0;
  int64_t idStep1;
  int used;     // experts a token
  int columns;  // of the result
  int repeat2;  // x has so many times w's extent on axis 2
  int repeat3;
  int type;
  // Further weights of the same type and axis 0, without batches, by the same activations.
  int others;
  int otherRows[3];
  char *otherW[3];
  float *otherResult[3];
};
