// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.Device;
import dev.consort.tck.ConformanceTest;
import dev.consort.tck.Declaration;
import dev.consort.tck.Subject;

/** The conformance kit on the avx512 kernels. */
class Avx512ConformanceTest extends ConformanceTest {
  @Override
  protected Subject subject() {
    CpuDevice device = TestDevices.of("avx512", 2);
    return new Subject() {
      @Override
      public Device device() {
        return device;
      }

      @Override
      public Declaration declaration() {
        return Declaration.everything();
      }

      @Override
      public void close() {
        device.close();
      }
    };
  }
}
