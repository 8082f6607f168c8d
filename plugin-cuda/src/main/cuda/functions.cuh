// SPDX-License-Identifier: Apache-2.0
// Functions of single elements.
#pragma once
#include "common.cuh"

// Numbers of the functions; see ElementKernels.java.
enum Function {
  ADD,
  SUB,
  MUL,
  DIV,
  SILU = 10,
  GELU,
  GELU_QUICK,
  RELU,
  SIGMOID,
  TANH,
  EXP,
  NEG,
  SCALE,
  CLAMP,
  SWIGLU = 20,
  GEGLU,
  REGLU,
  SWIGLU_LIMITED,
  COPY = 30
};

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
__device__ __forceinline__ float gelu(float x) {
  return 0.5f * x * (1.0f + tanhf(0.79788456080286535588f * x * (1.0f + 0.044715f * x * x)));
}

__device__ __forceinline__ float apply(int f, float a, float b, float p0, float p1) {
  switch (f) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    case SILU: return a * sigmoid(a);
    case GELU: return gelu(a);
    case GELU_QUICK: return a * sigmoid(1.702f * a);
    case RELU: return fmaxf(a, 0.0f);
    case SIGMOID: return sigmoid(a);
    case TANH: return tanhf(a);
    case EXP: return expf(a);
    case NEG: return -a;
    case SCALE: return a * p0 + p1;
    case CLAMP: return fminf(fmaxf(a, p0), p1);
    case SWIGLU: return a * sigmoid(a) * b;
    case GEGLU: return gelu(a) * b;
    case REGLU: return fmaxf(a, 0.0f) * b;
    case SWIGLU_LIMITED: {
      float g = fminf(a, p1), u = fminf(fmaxf(b, -p1), p1);
      return g * sigmoid(p0 * g) * (u + 1.0f);
    }
    default: return a;
  }
}

__device__ __forceinline__ bool isBinary(int f) { return f < SILU || (f >= SWIGLU && f < COPY); }
