// SPDX-License-Identifier: Apache-2.0
/**
 * GGUF files, versions 2 and 3, little-endian: {@link dev.consort.model.gguf.GgufFile} reads them
 * mapped, {@link dev.consort.model.gguf.GgufWriter} writes them as a stream.
 */
@NullMarked
package dev.consort.model.gguf;

import org.jspecify.annotations.NullMarked;
