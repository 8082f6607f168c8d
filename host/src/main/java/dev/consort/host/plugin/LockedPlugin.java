// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

/**
 * One line of a lock.
 *
 * @param name the plugin's name
 * @param version its version
 * @param sha256 of its JAR file, 64 hexadecimal digits
 */
public record LockedPlugin(String name, String version, String sha256) {}
