// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** How a {@link Table} is written; the names are llama-bench's, {@code TEXT} is for people. */
enum TableFormat {
  TEXT,
  MD,
  JSON,
  JSONL,
  CSV,
  SQL;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  void write(Table table, PrintStream out) {
    switch (this) {
      case TEXT -> aligned(table, "", "  ", "", out);
      case MD -> aligned(table, "| ", " | ", " |", out);
      case JSON ->
          out.println(
              table.rows().stream()
                  .map(row -> "  " + json(row))
                  .collect(Collectors.joining(",\n", "[\n", "\n]")));
      case JSONL -> table.rows().forEach(row -> out.println(json(row)));
      case CSV -> {
        out.println(joined(table.columns(), Function.identity()));
        table.rows().forEach(row -> out.println(joined(row.values(), TableFormat::csv)));
      }
      case SQL -> sql(table, out);
    }
    out.flush();
  }

  private static String joined(
      java.util.Collection<?> values, Function<? super String, String> quote) {
    return values.stream().map(TableFormat::plain).map(quote).collect(Collectors.joining(","));
  }

  private static void aligned(
      Table table, String open, String between, String close, PrintStream out) {
    boolean markdown = !open.isEmpty();
    List<List<String>> lines = new ArrayList<>();
    lines.add(table.columns());
    table
        .rows()
        .forEach(
            row ->
                lines.add(
                    row.values().stream()
                        .map(TableFormat::plain)
                        .map(text -> text.replaceAll("\\R", " "))
                        .map(text -> markdown ? text.replace("|", "\\|") : text)
                        .toList()));
    int[] widths = new int[table.columns().size()];
    boolean[] numbers = new boolean[widths.length];
    for (int i = 0; i < widths.length; i++) {
      int column = i;
      widths[i] = lines.stream().mapToInt(line -> line.get(column).length()).max().orElse(0);
      numbers[i] =
          !table.rows().isEmpty()
              && table.rows().stream()
                  .allMatch(row -> row.get(table.columns().get(column)) instanceof Number);
    }
    for (int n = 0; n < lines.size(); n++) {
      out.println(line(lines.get(n), widths, numbers, open, between, close));
      if (n == 0 && markdown) {
        List<String> rule = new ArrayList<>();
        for (int i = 0; i < widths.length; i++) {
          rule.add("-".repeat(Math.max(1, widths[i] - 1)) + (numbers[i] ? ":" : "-"));
        }
        out.println(line(rule, widths, numbers, open, between, close));
      }
    }
  }

  private static String line(
      List<String> cells,
      int[] widths,
      boolean[] numbers,
      String open,
      String between,
      String close) {
    StringBuilder text = new StringBuilder(open);
    for (int i = 0; i < widths.length; i++) {
      String padding = " ".repeat(Math.max(0, widths[i] - cells.get(i).length()));
      text.append(i == 0 ? "" : between);
      text.append(numbers[i] ? padding + cells.get(i) : cells.get(i) + padding);
    }
    return text.append(close).toString().stripTrailing();
  }

  private static String json(Map<String, Object> row) {
    return row.entrySet().stream()
        .map(e -> quoted(e.getKey()) + ": " + jsonValue(e.getValue()))
        .collect(Collectors.joining(", ", "{", "}"));
  }

  private static String jsonValue(Object value) {
    if (value instanceof Double d && !Double.isFinite(d)) {
      return "null";
    }
    return value instanceof Number ? plain(value) : quoted(plain(value));
  }

  private static String quoted(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      switch (c) {
        case '"' -> json.append("\\\"");
        case '\\' -> json.append("\\\\");
        case '\n' -> json.append("\\n");
        default -> json.append(c < ' ' ? "\\u%04x".formatted((int) c) : String.valueOf(c));
      }
    }
    return json.append('"').toString();
  }

  private static String csv(String text) {
    return text.matches("[^\",\r\n]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
  }

  private static void sql(Table table, PrintStream out) {
    out.println(
        table.columns().stream()
            .map(name -> "  " + name + (isNumber(table, name) ? " REAL" : " TEXT"))
            .collect(Collectors.joining(",\n", "CREATE TABLE IF NOT EXISTS consort (\n", "\n);")));
    for (Map<String, Object> row : table.rows()) {
      out.println(
          row.values().stream()
              .map(v -> v instanceof Number ? plain(v) : "'" + plain(v).replace("'", "''") + "'")
              .collect(
                  Collectors.joining(
                      ", ",
                      "INSERT INTO consort (" + String.join(", ", table.columns()) + ") VALUES (",
                      ");")));
    }
  }

  private static boolean isNumber(Table table, String column) {
    return !table.rows().isEmpty()
        && table.rows().stream().allMatch(row -> row.get(column) instanceof Number);
  }

  /** A number short enough to read: six significant digits. */
  private static String plain(Object value) {
    if (!(value instanceof Double d)) {
      return String.valueOf(value);
    }
    if (d == 0 || !Double.isFinite(d)) {
      return d == 0 ? "0" : d.toString();
    }
    double size = Math.abs(d);
    if (size < 1e-3 || size >= 1e9) {
      return String.format(Locale.ROOT, "%.3e", d);
    }
    return new java.math.BigDecimal(d)
        .round(new java.math.MathContext(6))
        .stripTrailingZeros()
        .toPlainString();
  }
}
