// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.api.DataType;
import dev.consort.tck.Declaration.Exclusion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A declaration as text. A line holds an operation and the types that it has beside F32 ({@code
 * mat_mul f16 q8_0}, or {@code all}), or an exclusion: {@code unsupported} or {@code expected
 * failure}, a part of tests' names, a bar and the reason.
 */
final class DeclarationFile {
  private DeclarationFile() {}

  static Declaration parse(String file, String text) {
    Declaration declaration = Declaration.nothing();
    List<String> lines = text.lines().map(String::strip).toList();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (!line.isEmpty() && !line.startsWith("#")) {
        try {
          declaration = line(declaration, line);
        } catch (IllegalArgumentException e) {
          throw new IllegalArgumentException(
              "line %d of %s: %s".formatted(i + 1, file, e.getMessage()), e);
        }
      }
    }
    return declaration;
  }

  private static Declaration line(Declaration declaration, String line) {
    for (Exclusion.Kind kind : Exclusion.Kind.values()) {
      if (line.startsWith(kind.label() + " ")) {
        String[] parts = line.substring(kind.label().length()).split("\\|", 2);
        if (parts.length < 2) {
          throw new IllegalArgumentException(
              "found \"%s\", expected a part of names, a bar and a reason".formatted(line));
        }
        return declaration.exclude(parts[0].strip(), kind, parts[1].strip());
      }
    }
    List<String> words = new ArrayList<>(Arrays.asList(line.split("\\s+")));
    String label = words.removeFirst();
    Set<DataType> types = EnumSet.noneOf(DataType.class);
    for (String word : words) {
      types.addAll(
          word.equals("all")
              ? EnumSet.allOf(DataType.class)
              : EnumSet.of(DataType.valueOf(word.toUpperCase(Locale.ROOT))));
    }
    return declaration.with(label, types);
  }
}
