// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.spi.BackendProvider;
import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * A plugin whose provider has been loaded.
 *
 * @param provider its entry
 * @param nativeDirectory makes its private directory for native libraries when it is first asked
 *     for
 * @param close gives back its class loader and files
 */
public record OpenPlugin(
    BackendProvider provider, Supplier<Path> nativeDirectory, Runnable close) {}
