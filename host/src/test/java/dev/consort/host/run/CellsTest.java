// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CellsTest {
  @Test
  void holesAreFilledFirstSoThatTheLiveCellsStayFew() {
    try (Cells cells = new Cells(16)) {
      for (int i = 0; i < 4; i++) {
        cells.take(i, 0b01);
        cells.take(i, 0b10);
      }
      cells.remove(0, 0);
      assertThat(cells.free()).isEqualTo(12);
      for (int i = 0; i < 4; i++) {
        assertThat(cells.take(i, 0b100)).isEqualTo(2 * i);
      }
      assertThat(cells.live()).isEqualTo(8);
      assertThat(cells.take(4, 0b100)).isEqualTo(8);
    }
  }

  @Test
  void aSharedCellIsFreeWhenTheLastSequenceHasLeft() {
    try (Cells cells = new Cells(4)) {
      cells.take(0, 0b01);
      cells.share(0, 1, 1);
      cells.remove(0, 0);
      assertThat(cells.free()).isEqualTo(3);
      cells.remove(1, 0);
      assertThat(cells.free()).isEqualTo(4);
      assertThat(cells.live()).isEqualTo(0);
    }
  }

  @Test
  void cellsThatWereGivenBackAreTakenAgain() {
    try (Cells cells = new Cells(4)) {
      int[] taken = {cells.take(0, 1), cells.take(1, 1), cells.take(2, 1)};
      cells.giveBack(new int[] {taken[1], taken[2]}, 2);
      assertThat(cells.free()).isEqualTo(3);
      assertThat(cells.live()).isEqualTo(1);
      assertThat(cells.take(1, 1)).isEqualTo(taken[1]);
    }
  }
}
