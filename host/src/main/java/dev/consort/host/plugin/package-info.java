// SPDX-License-Identifier: Apache-2.0
/**
 * Where plugins come from, how one is started without trusting it, and how users name devices.
 *
 * <p>A {@link dev.consort.host.plugin.PluginSource} finds candidates without running their code;
 * {@link dev.consort.host.plugin.Plugins} starts them side by side, each behind a time limit, and
 * keeps a {@link dev.consort.host.plugin.PluginStatus} for every one, working or not.
 */
@NullMarked
package dev.consort.host.plugin;

import org.jspecify.annotations.NullMarked;
