// SPDX-License-Identifier: Apache-2.0
/**
 * Writes models with random weights, for benchmarks: {@link dev.consort.model.synth.Synthesizer}.
 */
@NullMarked
package dev.consort.model.synth;

import org.jspecify.annotations.NullMarked;
