// SPDX-License-Identifier: Apache-2.0
/** The conformance kit against a JAR file, in forked JVMs. */
@NullMarked
package dev.consort.host.verify;

import org.jspecify.annotations.NullMarked;
