// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.consort.api.DataType;
import dev.consort.host.Consort;
import dev.consort.host.meta.MetaDevice;
import dev.consort.model.Model;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Decoding in steady state makes no garbage: what remains is a rare wait for a contended lock. */
@Timeout(120)
class GarbageTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int MOST_ROUNDS = 60;
  private static final int TOKENS = 150;
  private static final double MOST_BYTES_PER_TOKEN = 16;

  @Test
  void ofACpu() {
    assertThat(leastBytesPerToken("cpu:0")).isLessThan(MOST_BYTES_PER_TOKEN);
  }

  @Test
  void ofVirtualMembers() {
    assertThat(leastBytesPerToken("cpu:0*2")).isLessThan(MOST_BYTES_PER_TOKEN);
  }

  @Test
  void ofAVulkanDevice() {
    assertThat(leastBytesPerToken("vulkan:llvmpipe")).isLessThan(MOST_BYTES_PER_TOKEN);
  }

  /** In the first rounds the compiler is at work, and on a busy machine in many. */
  private static double leastBytesPerToken(String devices) {
    EngineOptions options = new EngineOptions(TOKENS + 1, 8, 1, DataType.F16, DataType.F16);
    try (Consort host = Consort.open()) {
      String name = devices.replaceAll(".*:|\\*.*", "");
      assumeTrue(
          host.devices().stream()
              .anyMatch(d -> d.info().name().contains(name) || d.info().id().endsWith(name)));
      try (Model model = TinyModel.dense();
          Engine engine = Engine.open(model, MetaDevice.even(host.select(devices)), options);
          Sequence sequence = engine.sequence()) {
        double least = Double.MAX_VALUE;
        for (int round = 0; round < MOST_ROUNDS && least >= MOST_BYTES_PER_TOKEN; round++) {
          sequence.truncate(0);
          sequence.append(1);
          long others = ofDevices();
          long own = THREADS.getCurrentThreadAllocatedBytes();
          for (int i = 0; i < TOKENS; i++) {
            sequence.append(i % TinyModel.VOCABULARY);
          }
          own = THREADS.getCurrentThreadAllocatedBytes() - own;
          least = Math.min(least, (own + ofDevices() - others) / (double) TOKENS);
        }
        return least;
      }
    }
  }

  /** Bytes allocated so far by the threads of devices and members. */
  private static long ofDevices() {
    long bytes = 0;
    for (ThreadInfo thread : THREADS.getThreadInfo(THREADS.getAllThreadIds())) {
      if (thread != null && thread.getThreadName().startsWith("consort")) {
        bytes += THREADS.getThreadAllocatedBytes(thread.getThreadId());
      }
    }
    return bytes;
  }
}
