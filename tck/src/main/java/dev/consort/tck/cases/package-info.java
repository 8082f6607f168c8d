// SPDX-License-Identifier: Apache-2.0
/** Which operations are tested with which types, shapes, strides and data. */
@NullMarked
package dev.consort.tck.cases;

import org.jspecify.annotations.NullMarked;
