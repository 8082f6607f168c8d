// SPDX-License-Identifier: Apache-2.0
/** Rewrites models with weights of other types: {@link dev.consort.model.quantize.Quantizer}. */
@NullMarked
package dev.consort.model.quantize;

import org.jspecify.annotations.NullMarked;
