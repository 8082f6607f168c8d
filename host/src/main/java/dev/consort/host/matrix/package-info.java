// SPDX-License-Identifier: Apache-2.0
/**
 * The capability matrix: devices and mixes against capabilities, operations, models and
 * collectives. {@link dev.consort.host.matrix.MatrixRun} fills it in forked JVMs, which alone load
 * plugins, so that a plugin that kills its process costs one cell.
 */
@NullMarked
package dev.consort.host.matrix;

import org.jspecify.annotations.NullMarked;
