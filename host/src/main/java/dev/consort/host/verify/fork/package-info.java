// SPDX-License-Identifier: Apache-2.0
/** What runs in a forked JVM, which alone has the kit on its class path and the plugin loaded. */
@NullMarked
package dev.consort.host.verify.fork;

import org.jspecify.annotations.NullMarked;
