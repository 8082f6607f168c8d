// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.sampling;

/** Removes or changes candidates, in place. Allocates nothing. */
@FunctionalInterface
public interface Sampler {
  void apply(Candidates candidates);
}
