// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.ConsortException;
import dev.consort.host.matrix.cell.Cell;
import dev.consort.host.matrix.cell.CellState;
import dev.consort.host.matrix.cell.Section;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever a plugin does to its process, it is one red cell, and the run goes on. */
@Timeout(300)
class MatrixRunTest {
  private static final String BAD = "misbehaving:0";

  @TempDir static Path plugins;

  @BeforeAll
  static void packPlugin() throws IOException {
    MisbehavingJar.write(plugins.resolve("misbehaving.jar"));
  }

  private static MatrixOptions options(Map<String, String> settings, Section... sections) {
    return MatrixOptions.defaults()
        .withPlugins(plugins)
        .withSettings(settings)
        .withSections(EnumSet.copyOf(List.of(sections)))
        .withTargets(TargetChoice.named(List.of(BAD), List.of()))
        .withKept(MatrixOptions.Kept.IGNORE);
  }

  private static Matrix fill(MatrixOptions options) {
    return MatrixRun.fill(options, MatrixListener.none());
  }

  private static Map<String, Cell> red(Matrix matrix) {
    return matrix.cells().stream()
        .filter(cell -> cell.state() != CellState.PASSED)
        .collect(Collectors.toMap(Cell::row, cell -> cell));
  }

  @Test
  void aCrashIsOneRedCellAndTheRunGoesOn() {
    MatrixOptions options =
        options(
                Map.of(
                    "misbehaving.silu", "segfault",
                    "misbehaving.exp", "exit",
                    "misbehaving.neg", "throw"),
                Section.OPS)
            .withTargets(TargetChoice.named(List.of(BAD, "cpu:0"), List.of("cpu:0," + BAD)));
    Matrix matrix = fill(options);
    Map<String, Map<String, Cell>> rows = matrix.rows(Section.OPS);
    Cell crash = rows.get("silu f32").get(BAD);
    assertThat(crash.state()).isEqualTo(CellState.CRASHED);
    assertThat(crash.detail()).contains("SIGSEGV").contains("at silu f32");
    Cell exit = rows.get("exp f32").get(BAD);
    assertThat(exit.state()).isEqualTo(CellState.CRASHED);
    assertThat(exit.detail()).contains("exit code 3");
    Cell thrown = rows.get("neg f32").get(BAD);
    assertThat(thrown.state()).isEqualTo(CellState.FAILED);
    assertThat(thrown.detail()).contains("told to throw");
    assertThat(rows.get("silu f32").get("cpu:0").state()).isEqualTo(CellState.PASSED);
    assertThat(rows.get("silu f32").get("cpu:0," + BAD).state()).isEqualTo(CellState.CRASHED);
    for (Cell cell : matrix.cells()) {
      boolean told = List.of("silu f32", "exp f32", "neg f32").contains(cell.row());
      // Cases of mixes hold several operations.
      if (cell.target().equals(BAD) || !cell.target().contains(BAD)) {
        boolean bad = told && cell.target().equals(BAD);
        assertThat(cell.state().isRed()).as("%s", cell).isEqualTo(bad);
      }
    }
    assertThat(rows).hasSizeGreaterThan(60);
    assertThat(rows.values()).allSatisfy(row -> assertThat(row).hasSize(3));
    assertThat(matrix.isGreen()).isFalse();
  }

  @Test
  void aHangIsOneRedCell() {
    MatrixOptions options =
        options(Map.of("misbehaving.relu", "hang"), Section.OPS).withLimit(Duration.ofSeconds(15));
    Map<String, Cell> red = red(fill(options));
    assertThat(red).containsOnlyKeys("relu f32");
    assertThat(red.get("relu f32").state()).isEqualTo(CellState.FAILED);
    assertThat(red.get("relu f32").detail()).contains("did not end within 15 s");
  }

  @Test
  void aPluginThatCrashesInEveryCellIsGivenUp() {
    Matrix matrix = fill(options(Map.of("misbehaving.mat_mul", "exit"), Section.OPS));
    Map<CellState, Long> counts = matrix.counts();
    assertThat(counts.get(CellState.CRASHED)).isEqualTo(5);
    assertThat(counts.get(CellState.NOT_RUN)).isEqualTo(matrix.rows(Section.OPS).size() - 5);
  }

  @Test
  void aPluginThatKillsItsProbeIsListedAndTheOthersGoOn() {
    MatrixOptions options =
        options(Map.of("misbehaving.register", "segfault"), Section.CAPS)
            .withTargets(TargetChoice.named(List.of("cpu:0"), List.of()));
    Matrix matrix = fill(options);
    assertThat(matrix.cells()).isNotEmpty().noneMatch(cell -> cell.state().isRed());
    assertThat(matrix.plugins())
        .anySatisfy(
            plugin -> {
              assertThat(plugin.origin()).endsWith("misbehaving.jar");
              assertThat(plugin.state()).isEqualTo(MatrixPlugin.CRASHED);
              assertThat(plugin.reason()).contains("SIGSEGV");
            });
    assertThat(matrix.isGreen()).isFalse();
  }

  @Test
  void aGroupWithoutARedCellIsKeptUntilItsPluginChanges(@TempDir Path folder) throws IOException {
    Path jar = MisbehavingJar.write(folder.resolve("plugin.jar"));
    MatrixOptions options =
        options(Map.of(), Section.CAPS)
            .withPlugins(folder)
            .withKept(MatrixOptions.Kept.TAKE)
            .withSettings(Map.of("misbehaving.salt", String.valueOf(System.nanoTime())));
    Matrix first = fill(options);
    assertThat(first.groups()).extracting(Group::source).containsOnly(Group.Source.RUN);
    Matrix second = fill(options);
    assertThat(second.groups()).extracting(Group::source).containsOnly(Group.Source.KEPT);
    assertThat(second.cells()).isEqualTo(first.cells());
    Files.write(jar, new byte[] {0}, java.nio.file.StandardOpenOption.APPEND);
    assertThat(fill(options).groups()).extracting(Group::source).containsOnly(Group.Source.RUN);
  }

  @Test
  void aGroupWithARedCellIsRunAgain() {
    MatrixOptions options =
        options(Map.of("misbehaving.neg", "throw"), Section.OPS).withKept(MatrixOptions.Kept.TAKE);
    fill(options);
    assertThat(fill(options).groups()).extracting(Group::source).containsOnly(Group.Source.RUN);
  }

  @Test
  void failuresThatAreExpectedAreNotRed() {
    ExpectedFailures expected =
        new ExpectedFailures(
            List.of(
                new ExpectedFailures.Entry("misbehaving:*", "ops neg *", "known"),
                new ExpectedFailures.Entry("*", "ops exp f32", "fixed long ago")));
    Map<String, Cell> others =
        red(fill(options(Map.of("misbehaving.neg", "throw"), Section.OPS).withExpected(expected)));
    assertThat(others).containsOnlyKeys("neg f32", "exp f32");
    assertThat(others.get("neg f32").state()).isEqualTo(CellState.EXPECTED_FAILURE);
    assertThat(others.get("neg f32").detail()).startsWith("known").contains("told to throw");
    assertThat(others.get("exp f32").state()).isEqualTo(CellState.FAILED);
    assertThat(others.get("exp f32").detail()).contains("remove the entry");
  }

  @Test
  void modelsAndSumsPassOnAMixOfTwoPlugins() {
    Matrix matrix =
        fill(
            options(Map.of(), Section.MODELS, Section.COLLECTIVES)
                .withTargets(TargetChoice.named(List.of(), List.of("cpu:0*2," + BAD + "@1/2/1"))));
    assertThat(matrix.cells()).extracting(Cell::state).containsOnly(CellState.PASSED);
    assertThat(matrix.rows(Section.MODELS).keySet())
        .containsExactly(
            "demo-q8_0 batch",
            "demo-q8_0 step",
            "demo-q8_0 batch, split layer",
            "demo-q8_0 step, split layer");
    assertThat(matrix.rows(Section.COLLECTIVES).keySet())
        .contains("all-reduce of 3, 1031 elements as F32");
  }

  @Test
  void theStandardColumnsAreAllDevicesAndMixesOfThem() {
    Matrix matrix = fill(options(Map.of(), Section.CAPS).withTargets(TargetChoice.standard()));
    assertThat(matrix.targets())
        .extracting(dev.consort.host.matrix.cell.Target::name)
        .contains("cpu:0", BAD, "cpu:0*2");
    assertThat(matrix.targets()).anyMatch(target -> target.members().size() > 2);
  }

  @Test
  void aDeviceThatIsNotThereIsNamed() {
    MatrixOptions options =
        options(Map.of(), Section.CAPS)
            .withTargets(TargetChoice.named(List.of("cpu:7"), List.of()));
    assertThatThrownBy(() -> fill(options))
        .isInstanceOf(ConsortException.class)
        .hasMessageContaining("cpu:7");
  }
}
