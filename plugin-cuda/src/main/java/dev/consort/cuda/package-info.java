// SPDX-License-Identifier: Apache-2.0
/** Backends on NVIDIA GPUs through the CUDA driver. */
@NullMarked
package dev.consort.cuda;

import org.jspecify.annotations.NullMarked;
