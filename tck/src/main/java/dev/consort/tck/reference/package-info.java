// SPDX-License-Identifier: Apache-2.0
/**
 * The scalar reference of every operation, and a whole asynchronous device around it that can be
 * made adversarial. It defines the arithmetic; it is slow on purpose.
 */
@NullMarked
package dev.consort.tck.reference;

import org.jspecify.annotations.NullMarked;
