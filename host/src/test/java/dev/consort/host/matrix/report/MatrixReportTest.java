// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.ConsortException;
import dev.consort.host.matrix.Matrix;
import dev.consort.host.matrix.cell.CellState;
import dev.consort.host.matrix.cell.Section;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MatrixReportTest {
  @TempDir Path folder;

  private static final Matrix MATRIX =
      new Sample()
          .group(
              Section.CAPS,
              "toy:0",
              "opens",
              CellState.PASSED,
              "comm_init/1",
              CellState.UNSUPPORTED)
          .group(Section.OPS, "toy:0", "neg f32", CellState.FAILED, "exp f32", CellState.CRASHED)
          .group(Section.OPS, "toy:0*2", "neg f32", CellState.EXPECTED_FAILURE)
          .matrix();

  @Test
  void jsonIsReadAsItWasWritten() throws IOException {
    Path file = Files.writeString(folder.resolve("m.json"), MatrixJson.write(MATRIX));
    assertThat(MatrixJson.read(file)).isEqualTo(MATRIX);
  }

  @Test
  void jsonHasTheFieldsOfTheDocumentedSchema() throws IOException {
    String doc = Files.readString(Path.of("..", "docs", "matrix.md"));
    String json = MatrixJson.write(MATRIX);
    assertThat(doc).contains("`" + MatrixJson.SCHEMA + "`");
    Pattern.compile("\"(\\w+)\" :")
        .matcher(json)
        .results()
        .map(found -> found.group(1))
        .distinct()
        .forEach(
            field -> assertThat(doc).as("docs/matrix.md").containsPattern("[`.]" + field + "\\b"));
    for (CellState state : CellState.values()) {
      assertThat(doc).contains("| `" + state.label() + "` |");
    }
  }

  @Test
  void otherFilesAreRefusedInWords() throws IOException {
    Path other = Files.writeString(folder.resolve("o.json"), "{\"schema\": \"consort-matrix/2\"}");
    assertThatThrownBy(() -> MatrixJson.read(other))
        .isInstanceOf(ConsortException.class)
        .hasMessageContaining("consort-matrix/2")
        .hasMessageContaining(MatrixJson.SCHEMA);
    Path none = Files.writeString(folder.resolve("n.json"), "no JSON");
    assertThatThrownBy(() -> MatrixJson.read(none)).isInstanceOf(ConsortException.class);
    assertThatThrownBy(() -> MatrixJson.read(folder.resolve("absent.json")))
        .isInstanceOf(ConsortException.class);
  }

  @Test
  void csvHasALineACellAndQuotesWhatItMust() {
    String csv = MatrixCsv.write(MATRIX);
    assertThat(csv)
        .startsWith("section,row,target,state,ms,detail\ncaps,opens,toy:0,passed,1.234,3 cases\n");
    assertThat(csv).contains("\"because " + Sample.NASTY.replace("\"", "\"\"") + "\"");
  }

  @Test
  void thePageNeedsNothingBesideItAndEscapesWhatItShows() {
    String html = MatrixHtml.write(MATRIX, Optional.empty());
    assertThat(html).doesNotContain("http:", "https:", "src=", "@import", "<script>\"a\"");
    assertThat(html).contains("&lt;script&gt;&quot;a&quot;", "<th scope=\"row\">exp f32</th>");
    assertThat(html).contains("<th scope=\"col\" data-name=\"toy:0*2\">");
    assertThat(count(html, "class=\"cell ")).isEqualTo(MATRIX.cells().size());
    assertThat(count(html, "does not apply")).isEqualTo(3);
    for (String tag : new String[] {"table", "tbody", "tr", "td", "button", "details", "section"}) {
      assertThat(count(html, "<" + tag + "[ >]")).as(tag).isEqualTo(count(html, "</" + tag + ">"));
    }
  }

  private static long count(String text, String pattern) {
    return Pattern.compile(pattern).matcher(text).results().count();
  }

  @Test
  void thePageSaysEveryStateInWords() {
    String html = MatrixHtml.write(MATRIX, Optional.empty());
    for (String words : new String[] {"passed", "unsupported", "expected", "failed", "crashed"}) {
      assertThat(html).containsPattern("</i>" + words + "<span class=\"vh\">");
    }
  }

  @Test
  void theTableTellsWhatIsBehindRedCells() {
    String text = MatrixText.write(MATRIX, MatrixText.Details.PROBLEMS);
    assertThat(text).contains("FAILED", "CRASHED", "failed: because", "neg f32 on toy:0");
    assertThat(text).doesNotContain("unsupported: because");
    assertThat(text).endsWith("1 passed, 1 unsupported, 1 expected failure, 1 failed, 1 crashed\n");
    assertThat(MatrixText.write(MATRIX, MatrixText.Details.ALL)).contains("unsupported: because");
  }
}
