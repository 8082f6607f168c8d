// SPDX-License-Identifier: Apache-2.0
/**
 * Runs a language model on a device: {@link dev.consort.host.run.Engine} owns weights, cache and
 * plans; a {@link dev.consort.host.run.Sequence} is one conversation in it.
 */
@NullMarked
package dev.consort.host.run;

import org.jspecify.annotations.NullMarked;
