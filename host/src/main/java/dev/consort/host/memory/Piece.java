// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.memory;

import dev.consort.api.Graph;
import dev.consort.api.Schedule;

/** A part of a member's graph that runs as one plan, with the schedule its backend chose. */
public record Piece(Graph graph, Schedule schedule) {}
