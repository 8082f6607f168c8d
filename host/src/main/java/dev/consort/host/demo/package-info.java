// SPDX-License-Identifier: Apache-2.0
/** The small model that is built in, so that a first run needs nothing. */
@NullMarked
package dev.consort.host.demo;

import org.jspecify.annotations.NullMarked;
