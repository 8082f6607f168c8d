// SPDX-License-Identifier: Apache-2.0
/** A matrix as a table, JSON, CSV or a page, and what changed between two. */
@NullMarked
package dev.consort.host.matrix.report;

import org.jspecify.annotations.NullMarked;
