// SPDX-License-Identifier: Apache-2.0
/**
 * The host as a library: {@link dev.consort.host.Consort} opens plugins and names their devices.
 */
@NullMarked
package dev.consort.host;

import org.jspecify.annotations.NullMarked;
