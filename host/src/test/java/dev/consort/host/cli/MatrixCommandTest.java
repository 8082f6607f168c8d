// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class MatrixCommandTest {
  @TempDir Path folder;

  @Test
  void itWritesWhatWasAskedForAndTellsHowItGetsOn() throws IOException {
    Path html = folder.resolve("m.html");
    Path json = folder.resolve("m.json");
    Cli cli =
        Cli.run(
            "matrix",
            "--what",
            "caps,collectives",
            "--devices",
            "cpu:0",
            "--mixes",
            "cpu:0*2",
            "-o",
            html.toString(),
            "-o",
            json.toString(),
            "-o",
            "csv");
    assertThat(cli.exit()).as(cli.err()).isZero();
    assertThat(cli.lines()[0]).isEqualTo("section,row,target,state,ms,detail");
    assertThat(cli.out()).contains("caps,opens,cpu:0*2,passed,");
    assertThat(cli.err()).contains("[4/4]").contains("cpu:0*2 collectives");
    assertThat(Files.readString(html)).contains("</html>");
    assertThat(Files.readString(json)).contains("consort-matrix/1");
  }

  @Test
  void somethingThatGotWorseEndsWith11() throws IOException {
    Path old = folder.resolve("old.json");
    String[] caps = {"matrix", "--what", "caps", "--devices", "cpu:0", "-o", old.toString()};
    assertThat(Cli.run(caps).exit()).isZero();
    Cli same =
        Cli.run("matrix", "--what", "caps", "--devices", "cpu:0", "--compare", old.toString());
    assertThat(same.exit()).as(same.err()).isZero();
    assertThat(same.err()).contains("0 changes, 0 of them worse");
    String more = Files.readString(old).replace("\"opens\"", "\"opens wide\"");
    Files.writeString(old, more);
    Cli worse =
        Cli.run("matrix", "--what", "caps", "--devices", "cpu:0", "--compare", old.toString());
    assertThat(worse.exit()).isEqualTo(11);
    assertThat(worse.err()).contains("gone: caps opens wide on cpu:0");
  }

  @Test
  void whatCanNotBeMeantIsToldBeforeAnythingRuns() throws IOException {
    assertThat(Cli.run("matrix", "-o", "report.pdf").exit()).isEqualTo(2);
    assertThat(Cli.run("matrix", "--what", "magic").exit()).isEqualTo(2);
    assertThat(Cli.run("matrix", "--compare", folder.resolve("none.json").toString()).exit())
        .isEqualTo(3);
    Path bad = Files.writeString(folder.resolve("expected"), "# fine\ncpu:0 | ops neg f32\n");
    Cli cli = Cli.run("matrix", "--expected", bad.toString());
    assertThat(cli.exit()).isEqualTo(5);
    assertThat(cli.err()).contains("line 2", "TARGET | SECTION ROW | REASON");
  }
}
