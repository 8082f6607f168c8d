// SPDX-License-Identifier: Apache-2.0
/**
 * Devices around any plugin's device: one that hides capabilities, one that refuses operations.
 * They pass buffers through as they are.
 */
@NullMarked
package dev.consort.tck.wrap;

import org.jspecify.annotations.NullMarked;
