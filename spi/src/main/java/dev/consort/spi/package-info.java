// SPDX-License-Identifier: Apache-2.0
/** What a plugin implements: one {@link BackendProvider}, and base classes that keep it short. */
@NullMarked
package dev.consort.spi;

import org.jspecify.annotations.NullMarked;
