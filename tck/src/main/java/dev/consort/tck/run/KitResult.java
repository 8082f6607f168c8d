// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.run;

import java.time.Duration;

/**
 * One test and what became of it.
 *
 * @param section as in {@link KitRun#sections()}
 * @param test its name within the section
 * @param reason why it did not pass, on one line; empty if it did
 */
public record KitResult(
    String section, String test, Verdict verdict, String reason, Duration time) {}
