// SPDX-License-Identifier: Apache-2.0
/** Text to token ids and back: {@link dev.consort.model.tokenizer.Tokenizers} reads a model's. */
@NullMarked
package dev.consort.model.tokenizer;

import org.jspecify.annotations.NullMarked;
