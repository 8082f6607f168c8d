// SPDX-License-Identifier: Apache-2.0
/** The command line over the host's public API; machine output on stdout, talk on stderr. */
@NullMarked
package dev.consort.host.cli;

import org.jspecify.annotations.NullMarked;
