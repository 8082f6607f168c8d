// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.tck.ConformanceTest;
import dev.consort.tck.Declaration;
import dev.consort.tck.Subject;

/** The conformance kit on the first CUDA device of this machine. */
class CudaConformanceTest extends ConformanceTest {
  @Override
  protected Subject subject() {
    return Subject.of(CudaProvider::new, Declaration.everything());
  }
}
