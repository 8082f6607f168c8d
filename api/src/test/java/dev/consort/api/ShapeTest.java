// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.Test;

class ShapeTest {
  @Test
  void extentsThatCantBeAreRefused() {
    for (long wrong : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE}) {
      ConsortException error =
          catchThrowableOfType(ConsortException.class, () -> Shape.of(wrong, 2, 3));
      assertThat(error).as("%d", wrong).isNotNull();
      assertThat(error.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
      assertThat(error).hasMessageContaining("" + wrong);
    }
  }
}
