// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.matrix.Matrix;
import dev.consort.host.matrix.report.MatrixChanges;
import dev.consort.host.matrix.report.MatrixCsv;
import dev.consort.host.matrix.report.MatrixHtml;
import dev.consort.host.matrix.report.MatrixJson;
import dev.consort.host.matrix.report.MatrixText;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** One place that a matrix is written to. */
record MatrixOutput(
    Format format, MatrixText.Details details, Optional<OutputFile> file, Console console)
    implements AutoCloseable {
  enum Format {
    TEXT,
    HTML,
    JSON,
    CSV
  }

  /** A file by its ending, or stdout by the name of a format. */
  static MatrixOutput of(String name, Console console, boolean verbose) {
    MatrixText.Details details = verbose ? MatrixText.Details.ALL : MatrixText.Details.PROBLEMS;
    int dot = name.lastIndexOf('.');
    String ending = name.substring(dot + 1).toUpperCase(Locale.ROOT);
    for (Format format : Format.values()) {
      if (format.name().equals(ending.equals("TXT") ? "TEXT" : ending)) {
        Optional<OutputFile> file =
            dot < 0 ? Optional.empty() : Optional.of(OutputFile.create(Path.of(name)));
        return new MatrixOutput(format, details, file, console);
      }
    }
    throw new ConsortException(
        ErrorCode.INVALID_ARGUMENT,
        "-o is \"%s\"; expected a file that ends in .html, .json, .csv or .txt, or one of text, html, json, csv"
            .formatted(name));
  }

  void write(Matrix matrix, Optional<MatrixChanges> changes) {
    String text =
        switch (format) {
          case TEXT -> MatrixText.write(matrix, details);
          case HTML -> MatrixHtml.write(matrix, changes);
          case JSON -> MatrixJson.write(matrix);
          case CSV -> MatrixCsv.write(matrix);
        };
    file.ifPresentOrElse(
        to -> {
          to.write(text.getBytes(StandardCharsets.UTF_8));
          to.finish();
        },
        () -> {
          console.out().print(text);
          console.out().flush();
        });
  }

  @Override
  public void close() {
    file.ifPresent(OutputFile::close);
  }
}
