// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

/** How a model is spread over the members of a meta device. */
public enum Split {
  /** Every layer is split over all members. */
  TENSOR,
  /** Each member has a run of whole layers. */
  LAYER,
  /** The first member has everything. */
  NONE
}
