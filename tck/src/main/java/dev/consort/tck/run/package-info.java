// SPDX-License-Identifier: Apache-2.0
/** Runs the kit from a program, without a build. */
@NullMarked
package dev.consort.tck.run;

import org.jspecify.annotations.NullMarked;
