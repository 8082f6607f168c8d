// SPDX-License-Identifier: Apache-2.0
/** Conversations as models know them: {@link dev.consort.host.chat.ChatTemplate}. */
@NullMarked
package dev.consort.host.chat;

import org.jspecify.annotations.NullMarked;
