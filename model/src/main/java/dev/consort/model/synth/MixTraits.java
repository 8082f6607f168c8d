// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.synth;

/**
 * What a {@link WeightMix} looks at in a model.
 *
 * @param experts 0 for dense models
 * @param sharedValues whether a model of 80 layers shares each value head among several queries',
 *     so that its small value weights get more bits
 */
public record MixTraits(int layers, int experts, boolean sharedValues) {}
