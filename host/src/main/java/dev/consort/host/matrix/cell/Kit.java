// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;

/** The conformance kit, which a program may have left out. */
final class Kit {
  private Kit() {}

  static boolean isHere() {
    try {
      Class.forName("dev.consort.tck.OperationCheck", false, Kit.class.getClassLoader());
      Class.forName("org.opentest4j.TestAbortedException", false, Kit.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  static void require() {
    if (!isHere()) {
      throw new ConsortException(
          ErrorCode.UNSUPPORTED,
          "the conformance kit is not on the class path; add dev.consort:consort-tck");
    }
  }
}
