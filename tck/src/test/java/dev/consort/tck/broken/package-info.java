// SPDX-License-Identifier: Apache-2.0
/** Devices broken on purpose, and the tests of the kit that must catch them. */
@NullMarked
package dev.consort.tck.broken;

import org.jspecify.annotations.NullMarked;
