// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.spi.SpiVersion;
import java.nio.file.Path;

/**
 * A JAR file that was read and could be loaded.
 *
 * @param file where it came from
 * @param sha256 of the private copy that would be loaded
 * @param spiVersion the SPI it was made for
 */
public record JarIdentity(Path file, String sha256, SpiVersion spiVersion) {}
