// SPDX-License-Identifier: Apache-2.0
/**
 * One cell of the matrix, and the program of the forked JVMs that fill cells. Only here is the
 * conformance kit used; where it is not on the class path, what needs it is unsupported.
 */
@NullMarked
package dev.consort.host.matrix.cell;

import org.jspecify.annotations.NullMarked;
