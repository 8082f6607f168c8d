// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.report;

import dev.consort.api.DeviceInfo;
import dev.consort.host.matrix.Group;
import dev.consort.host.matrix.Matrix;
import dev.consort.host.matrix.MatrixPlugin;
import dev.consort.host.matrix.cell.Cell;
import dev.consort.host.matrix.cell.CellState;
import dev.consort.host.matrix.cell.Probe;
import dev.consort.host.matrix.cell.Section;
import dev.consort.host.matrix.cell.Target;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** A matrix as one page that needs nothing beside it. */
public final class MatrixHtml {
  private static final Map<CellState, String> SIGNS =
      Map.of(
          CellState.PASSED, "✓",
          CellState.UNSUPPORTED, "–",
          CellState.EXPECTED_FAILURE, "≈",
          CellState.NOT_RUN, "○",
          CellState.FAILED, "✗",
          CellState.CRASHED, "‼");

  private final Matrix matrix;
  private final StringBuilder html = new StringBuilder(1 << 16);

  private MatrixHtml(Matrix matrix) {
    this.matrix = matrix;
  }

  /** The page, with what changed if there is something to compare with. */
  public static String write(Matrix matrix, Optional<MatrixChanges> changes) {
    MatrixHtml page = new MatrixHtml(matrix);
    page.head();
    changes.ifPresent(page::changes);
    page.controls();
    page.table();
    page.plugins();
    page.devices();
    page.groups();
    page.html.append("</main>\n<div id=\"tip\" role=\"tooltip\" hidden></div>\n<script>");
    page.html.append(resource("matrix.js")).append("</script>\n</body>\n</html>\n");
    return page.html.toString();
  }

  private void head() {
    Matrix.Machine machine = matrix.machine();
    html.append(
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Consort capability matrix</title>
        <style>
        %s</style>
        </head>
        <body>
        <header class="top">
        <div>
        <h1>Consort capability matrix</h1>
        <p class="meta">%s</p>
        </div>
        <button type="button" id="theme">Theme: auto</button>
        </header>
        <main>
        """
            .formatted(
                resource("matrix.css"),
                escaped(
                    "%s · depth %s · host %s · Java %s · %s, %d processors"
                        .formatted(
                            matrix.created(),
                            matrix.depth().label(),
                            machine.host(),
                            machine.java(),
                            machine.system(),
                            machine.processors()))));
  }

  private void controls() {
    html.append(
        """
        <div class="controls" id="controls" hidden>
        <input id="words" type="search" placeholder="Filter rows, reasons, errors" \
        aria-label="Filter rows by words of their name, reasons or errors">
        """);
    matrix
        .counts()
        .forEach(
            (state, count) -> {
              if (count > 0 || state != CellState.NOT_RUN) {
                html.append(
                    "<button type=\"button\" data-state=\"%s\" class=\"%s\" aria-pressed=\"false\">%s %s %d</button>\n"
                        .formatted(
                            state.label(), state.label(), sign(state), state.words(), count));
              }
            });
    html.append("<p id=\"shown\" role=\"status\"></p>\n</div>\n");
  }

  private static String sign(CellState state) {
    return "<span aria-hidden=\"true\">" + SIGNS.get(state) + "</span>";
  }

  private void table() {
    html.append(
        """
        <div class="scroll" role="region" aria-label="The matrix">
        <table class="matrix">
        <caption class="vh">Devices and mixes in columns, what was tried in rows. Each cell holds \
        how it ended, the reason or error, and the time. With a cell in focus the arrow keys go to \
        the others.</caption>
        <thead><tr><th scope="col">What</th>
        """);
    for (Target target : matrix.targets()) {
      html.append(
          "<th scope=\"col\" data-name=\"%s\">%s<small>%s</small></th>\n"
              .formatted(
                  escaped(target.name()),
                  escaped(target.name()).replace(",", ",<wbr>"),
                  escaped(names(target))));
    }
    html.append("</tr></thead>\n");
    matrix.sections().forEach(this::section);
    html.append("</table>\n</div>\n");
  }

  /** Of a device its name; a mix's members have columns or rows of their own. */
  private String names(Target target) {
    return target.isMix()
        ? target.members().size() + " members"
        : matrix.devices().stream()
            .map(Probe::info)
            .filter(info -> info.id().equals(target.members().getFirst()))
            .map(DeviceInfo::name)
            .findFirst()
            .orElse("");
  }

  private void section(Section section) {
    html.append(
        "<tbody id=\"%s\">\n<tr class=\"section\"><th scope=\"rowgroup\">%s</th><td colspan=\"%d\"></td></tr>\n"
            .formatted(section.label(), section.title(), matrix.targets().size()));
    matrix
        .rows(section)
        .forEach(
            (row, cells) -> {
              html.append("<tr data-row><th scope=\"row\">")
                  .append(escaped(row).replace("_", "_<wbr>"))
                  .append("</th>");
              for (Target target : matrix.targets()) {
                Optional.ofNullable(cells.get(target.name()))
                    .ifPresentOrElse(
                        this::cell,
                        () ->
                            html.append(
                                "<td><span class=\"none\"><span class=\"vh\">does not"
                                    + " apply</span></span></td>"));
              }
              html.append("</tr>\n");
            });
    html.append("</tbody>\n");
  }

  private void cell(Cell cell) {
    String state = cell.state().label();
    html.append(
        "<td><button type=\"button\" class=\"cell %s\" data-state=\"%s\" data-words=\"%s\" data-time=\"%s\"><i aria-hidden=\"true\">%s</i>%s<span class=\"vh\">: <span class=\"detail\">%s</span></span></button></td>"
            .formatted(
                state,
                state,
                cell.state().words(),
                time(cell.time()),
                SIGNS.get(cell.state()),
                cell.state() == CellState.EXPECTED_FAILURE ? "expected" : cell.state().words(),
                escaped(cell.detail())));
  }

  private static String time(Duration time) {
    double millis = time.toNanos() / 1e6;
    return millis < 1000
        ? String.format(Locale.ROOT, millis < 10 ? "%.1f ms" : "%.0f ms", millis)
        : String.format(Locale.ROOT, "%.1f s", millis / 1000);
  }

  private void changes(MatrixChanges changes) {
    html.append(
        "<section aria-labelledby=\"changes\">\n<h2 id=\"changes\">%d changes, %d of them worse</h2>\n"
            .formatted(changes.changes().size(), changes.worse().size()));
    if (!changes.changes().isEmpty()) {
      html.append(
          "<div class=\"scroll changes\" tabindex=\"0\" role=\"region\""
              + " aria-labelledby=\"changes\"><table class=\"plain\"><thead><tr><th"
              + " scope=\"col\">Change</th><th scope=\"col\">Cell</th><th scope=\"col\">Was</th><th"
              + " scope=\"col\">Is</th><th scope=\"col\">Why</th></tr></thead><tbody>\n");
      for (MatrixChanges.Change change : changes.changes()) {
        html.append(
            "<tr><td>%s</td><th scope=\"row\">%s</th><td>%s</td><td>%s</td><td>%s</td></tr>\n"
                .formatted(
                    change.kind().words(),
                    escaped(change.name()),
                    tag(change.before()),
                    tag(change.after()),
                    escaped(change.after().map(Cell::detail).orElse(""))));
      }
      html.append("</tbody></table></div>\n");
    }
    html.append("</section>\n");
  }

  private static String tag(Optional<Cell> cell) {
    return cell.map(
            of ->
                "<span class=\"tag %s\">%s %s</span>"
                    .formatted(of.state().label(), sign(of.state()), of.state().words()))
        .orElse("nothing");
  }

  private void plugins() {
    html.append("<details%s>\n".formatted(allActive() ? "" : " open"));
    html.append("<summary>Plugins</summary>\n");
    open("Name", "Version", "State", "Reason", "JAR", "SHA-256");
    for (MatrixPlugin plugin : matrix.plugins()) {
      row(
          plugin.name(),
          plugin.version(),
          plugin.state(),
          plugin.reason(),
          plugin.origin().replaceFirst(".*[/\\\\]", ""),
          plugin.sha256());
    }
    html.append("</tbody></table></div>\n</details>\n");
  }

  private boolean allActive() {
    return matrix.plugins().stream()
        .noneMatch(
            plugin ->
                plugin.state().equals(MatrixPlugin.CRASHED) || plugin.state().equals("FAILED"));
  }

  private void devices() {
    html.append("<details>\n<summary>Devices</summary>\n");
    open("Device", "Kind", "Name", "Driver", "Memory");
    for (Probe device : matrix.devices()) {
      DeviceInfo info = device.info();
      row(
          info.id(),
          info.kind().name().toLowerCase(Locale.ROOT) + (info.software() ? ", software" : ""),
          info.name(),
          info.driver(),
          (device.memory().total() >> 20) + " MiB");
    }
    html.append("</tbody></table></div>\n</details>\n");
  }

  private void groups() {
    html.append("<details>\n<summary>Times</summary>\n");
    open("Device or mix", "Part", "Cells", "Time", "From");
    for (Group group : matrix.groups()) {
      row(
          group.target(),
          group.section().title(),
          String.valueOf(group.cells().size()),
          group.source() == Group.Source.KEPT ? "" : time(group.time()),
          group.source() == Group.Source.KEPT ? "an earlier run" : "this run");
    }
    html.append("</tbody></table></div>\n</details>\n");
  }

  private void open(String... columns) {
    html.append("<div style=\"overflow:auto\"><table class=\"plain\"><thead><tr>");
    for (String column : columns) {
      html.append("<th scope=\"col\">").append(column).append("</th>");
    }
    html.append("</tr></thead><tbody>\n");
  }

  private void row(String first, String... values) {
    html.append("<tr><th scope=\"row\">").append(escaped(first)).append("</th>");
    for (String value : values) {
      html.append("<td>").append(escaped(value)).append("</td>");
    }
    html.append("</tr>\n");
  }

  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }

  private static String resource(String name) {
    try (InputStream in =
        Objects.requireNonNull(MatrixHtml.class.getResourceAsStream(name), name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
