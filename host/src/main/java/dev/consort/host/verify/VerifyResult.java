// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.verify;

import java.time.Duration;

/**
 * One test of the kit and what became of it.
 *
 * @param section the part of the kit
 * @param test its name within the section
 * @param reason why it did not pass; empty if it did
 */
public record VerifyResult(
    String section, String test, VerifyState state, String reason, Duration time) {}
