// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/** Memory of a device in bytes, at the time of asking. */
@Stable(since = "1.0")
public record DeviceMemory(long free, long total) {}
