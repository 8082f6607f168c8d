// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.Plan;
import dev.consort.api.Storage;

/**
 * The plan for one number of tokens and outputs, with the places of what it reads and writes.
 *
 * @param tokens rows, padded ones included
 * @param outputs rows of logits
 */
record StepPlan(
    int tokens,
    int outputs,
    Plan plan,
    Storage embeddings,
    Storage positions,
    Storage slots,
    Storage queries,
    Storage cells,
    Storage live,
    Storage selected,
    Storage logits) {}
