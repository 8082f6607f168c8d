// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.consort.tck.ConformanceTest;
import dev.consort.tck.Declaration;
import dev.consort.tck.Subject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The conformance kit on the second of two nodes. */
class NodeConformanceTest extends ConformanceTest {
  private static final Path FOLDER = Path.of("/sys/devices/system/node/node0");

  @Override
  protected Subject subject() {
    assumeTrue(Files.isDirectory(FOLDER), "the system says nothing of nodes");
    var first = new Topology.Node(0, List.of(0), FOLDER);
    var second = new Topology.Node(1, List.of(0), FOLDER);
    return Subject.of(
        () -> new CpuProvider(() -> new Topology(List.of(first, second))),
        1,
        Map.of("collective-timeout", "2"),
        Declaration.everything());
  }
}
