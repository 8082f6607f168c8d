// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import dev.consort.host.matrix.cell.Cell;
import dev.consort.host.matrix.cell.Section;
import dev.consort.host.matrix.cell.Target;
import java.util.List;

/** Is told how a matrix gets on. Called from several threads, one call at a time. */
public interface MatrixListener {
  /** The plugins were asked for their devices. */
  default void probed(List<MatrixPlugin> plugins) {}

  /** What will be filled. */
  default void planned(List<Target> targets, List<Section> sections) {}

  /** One more JVM knows the rows of its group. */
  default void rows(int count) {}

  /** One more cell of a group that is running. */
  default void cell(Cell cell) {}

  /** A group is over; its cells were told before, but not if they were kept. */
  default void group(Group group) {}

  /** Listens to nothing. */
  static MatrixListener none() {
    return new MatrixListener() {};
  }
}
