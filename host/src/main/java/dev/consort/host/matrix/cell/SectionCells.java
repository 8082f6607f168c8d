// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import dev.consort.host.meta.MetaDevice;
import java.util.List;
import java.util.function.Consumer;

/** The rows of one section. */
interface SectionCells extends AutoCloseable {
  /** All rows of the job, the same each time; no plugin has been started yet. */
  List<String> rows();

  /**
   * Runs a row; may throw anything.
   *
   * @param at is told what the row is at, for the case that it is the last that is heard
   */
  Outcome run(String row, MetaDevice device, Consumer<String> at) throws Exception;

  @Override
  default void close() {}

  static SectionCells of(Request.Job job) {
    return switch (job.section()) {
      case CAPS -> new CapabilityCells();
      case OPS -> new OperationCells(job);
      case MODELS -> new ModelCells(job);
      case COLLECTIVES -> new CollectiveCells(job);
    };
  }
}
