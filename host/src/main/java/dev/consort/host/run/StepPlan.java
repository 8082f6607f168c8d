// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.Plan;
import dev.consort.api.Storage;
import java.util.Optional;

/**
 * The plan for one number of tokens and outputs, with the places of what it reads and writes.
 * Inputs that not every model reads may be absent.
 *
 * @param tokens rows, padded ones included
 * @param outputs rows of logits
 */
record StepPlan(
    int tokens,
    int outputs,
    Plan plan,
    Storage embeddings,
    Optional<Storage> positions,
    Storage slots,
    Storage queries,
    Storage cells,
    Storage live,
    Storage selected,
    Optional<Storage> temperatures,
    Storage logits) {}
