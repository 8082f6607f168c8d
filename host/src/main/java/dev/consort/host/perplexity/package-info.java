// SPDX-License-Identifier: Apache-2.0
/**
 * How well a model foretells a text: {@link dev.consort.host.perplexity.Evaluation} feeds windows
 * of it, {@link dev.consort.host.perplexity.Likelihood} and {@link
 * dev.consort.host.perplexity.Divergence} score them.
 */
@NullMarked
package dev.consort.host.perplexity;

import org.jspecify.annotations.NullMarked;
