// SPDX-License-Identifier: Apache-2.0
/**
 * The vocabulary that hosts, models and plugins share: tensors and graphs as immutable descriptors,
 * devices and their streams, memory, and optional capabilities found at run time.
 *
 * <p>Read {@link Tensor}, {@link Operation} and {@link Graph} first, then {@link Device}, {@link
 * Backend} and {@link BufferType}, then {@link ProcAddresses}.
 */
@NullMarked
package dev.consort.api;

import org.jspecify.annotations.NullMarked;
