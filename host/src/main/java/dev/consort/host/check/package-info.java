// SPDX-License-Identifier: Apache-2.0
/** Compares what devices compute with the true logits of reference models. */
@NullMarked
package dev.consort.host.check;

import org.jspecify.annotations.NullMarked;
