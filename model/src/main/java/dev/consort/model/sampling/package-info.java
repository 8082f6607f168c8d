// SPDX-License-Identifier: Apache-2.0
/**
 * From logits to a token: {@link dev.consort.model.sampling.SamplerChain} runs filters over
 * reusable candidates and draws one.
 */
@NullMarked
package dev.consort.model.sampling;

import org.jspecify.annotations.NullMarked;
