// SPDX-License-Identifier: Apache-2.0
/** A plugin that works until it is told not to; packed into a JAR by the tests. */
@NullMarked
package dev.consort.host.matrix.misbehaving;

import org.jspecify.annotations.NullMarked;
