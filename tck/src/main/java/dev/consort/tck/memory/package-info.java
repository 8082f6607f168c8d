// SPDX-License-Identifier: Apache-2.0
/** Which bytes a piece of work reads and writes. */
@NullMarked
package dev.consort.tck.memory;

import org.jspecify.annotations.NullMarked;
