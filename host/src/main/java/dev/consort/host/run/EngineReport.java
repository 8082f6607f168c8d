// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.api.WirePolicy;
import dev.consort.host.meta.Split;
import java.util.List;

/**
 * How a model lies on its devices.
 *
 * @param reducesPerToken sums over members that a token needs
 * @param notes what placement decided against the model's declaration
 */
public record EngineReport(
    List<MemberReport> members,
    Split split,
    WirePolicy wire,
    int context,
    long reducesPerToken,
    List<String> notes) {}
