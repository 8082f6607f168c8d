// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TableFormatTest {
  private final Table table = new Table("name", "speed", "note");

  TableFormatTest() {
    table.add("a|b", 12.3456789, "says \"hi\", it's\n2 lines");
    table.add("c", 0.00001, "");
  }

  @Test
  void csvQuotesWhatNeedsIt() {
    assertThat(written(TableFormat.CSV))
        .isEqualTo(
            "name,speed,note\na|b,12.3457,\"says \"\"hi\"\", it's\n2 lines\"\nc,1.000e-05,\n");
  }

  @Test
  void jsonEscapesAndKeepsNumbers() {
    assertThat(written(TableFormat.JSON))
        .isEqualTo(
            """
            [
              {"name": "a|b", "speed": 12.3457, "note": "says \\"hi\\", it's\\n2 lines"},
              {"name": "c", "speed": 1.000e-05, "note": ""}
            ]
            """);
    assertThat(written(TableFormat.JSONL)).hasLineCount(2).startsWith("{\"name\": \"a|b\"");
  }

  @Test
  void jsonHasNoWordForNumbersThatAreNone() {
    Table odd = new Table("x");
    odd.add(Double.NaN);
    assertThat(written(odd, TableFormat.JSONL)).isEqualTo("{\"x\": null}\n");
  }

  @Test
  void sqlQuotesText() {
    assertThat(written(TableFormat.SQL))
        .contains("speed REAL", "note TEXT", "VALUES ('a|b', 12.3457, 'says \"hi\", it''s");
  }

  @Test
  void markdownAlignsAndEscapesBars() {
    assertThat(written(TableFormat.MD))
        .isEqualTo(
            """
            | name |     speed | note                    |
            | ---- | --------: | ----------------------- |
            | a\\|b |   12.3457 | says "hi", it's 2 lines |
            | c    | 1.000e-05 |                         |
            """);
  }

  private String written(TableFormat format) {
    return written(table, format);
  }

  private static String written(Table table, TableFormat format) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    format.write(table, new PrintStream(bytes, true, StandardCharsets.UTF_8));
    return bytes.toString(StandardCharsets.UTF_8).replace("\r\n", "\n");
  }
}
