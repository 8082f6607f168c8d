// SPDX-License-Identifier: Apache-2.0
/** The CPU as a device: C kernels where they load, the Vector API where they do not. */
@NullMarked
package dev.consort.cpu;

import org.jspecify.annotations.NullMarked;
