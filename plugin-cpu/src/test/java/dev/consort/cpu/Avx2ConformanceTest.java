// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.tck.ConformanceTest;
import dev.consort.tck.Subject;

/** The conformance kit on the avx2 kernels. */
class Avx2ConformanceTest extends ConformanceTest {
  @Override
  protected Subject subject() {
    return TestDevices.subject("avx2");
  }
}
