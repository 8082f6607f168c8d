// SPDX-License-Identifier: Apache-2.0
/**
 * Language models in GGUF files: {@link dev.consort.model.Model} opens one and makes graphs of it,
 * with the tokenizer and samplers beside it. Sees the api alone.
 */
@NullMarked
package dev.consort.model;

import org.jspecify.annotations.NullMarked;
