// SPDX-License-Identifier: Apache-2.0
/**
 * What the bytes of each {@link dev.consort.api.DataType} mean: decoders for all, encoders for
 * some. Scalar and exact; kernels are measured against them. The layouts are those of ggml's {@code
 * ggml-common.h}.
 */
@NullMarked
package dev.consort.api.quant;

import org.jspecify.annotations.NullMarked;
