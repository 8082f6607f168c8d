// SPDX-License-Identifier: Apache-2.0
/**
 * The conformance kit. A vendor extends {@link dev.consort.tck.ConformanceTest} with a {@link
 * dev.consort.tck.Subject}: what to test, and what it declares to support.
 */
@NullMarked
package dev.consort.tck;

import org.jspecify.annotations.NullMarked;
