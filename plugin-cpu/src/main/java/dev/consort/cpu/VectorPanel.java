// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

/** How panels of one data type are read; {@link PortablePanels} says how they lie. */
interface VectorPanel {
  /** Elements of a block. */
  int blockElements();

  /**
   * A panel times one column.
   *
   * @param blocks blocks of a row
   * @param x the column's floats
   * @param sums sums of each sixteen of them
   * @param y where the result of each row goes
   * @param scratch memory of the thread's own
   */
  void multiply(long panel, long blocks, long x, long sums, long y, long scratch);

  /**
   * Unpacks blocks of a panel to floats, element by element, each two vectors behind the one
   * before.
   */
  void open(long panel, long blocks, long tile, long scratch);
}
