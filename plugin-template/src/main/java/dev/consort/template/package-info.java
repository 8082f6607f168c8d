// SPDX-License-Identifier: Apache-2.0
/**
 * The smallest complete plugin. Read it from top to bottom: Provider, Device, Buffers, Backend,
 * Event, Plan, Kernels.
 */
@NullMarked
package dev.consort.template;

import org.jspecify.annotations.NullMarked;
