// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import java.util.ArrayList;
import java.util.List;

/** Texts in one line, whatever they hold; such a line may itself be one of the texts. */
public final class Fields {
  private Fields() {}

  public static String join(List<String> texts) {
    StringBuilder line = new StringBuilder();
    for (String text : texts) {
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        switch (c) {
          case '\\' -> line.append("\\\\");
          case '\t' -> line.append("\\t");
          case '\n' -> line.append("\\n");
          case '\r' -> line.append("\\r");
          default -> line.append(c);
        }
      }
      // A tab after each, so that no text and one empty text differ.
      line.append('\t');
    }
    return line.toString();
  }

  public static List<String> split(String line) {
    List<String> texts = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < line.length(); i++) {
      char c = line.charAt(i);
      if (c == '\t') {
        texts.add(text.toString());
        text.setLength(0);
      } else if (c == '\\' && i + 1 < line.length()) {
        i++;
        char escaped = line.charAt(i);
        text.append(
            switch (escaped) {
              case 't' -> '\t';
              case 'n' -> '\n';
              case 'r' -> '\r';
              default -> escaped;
            });
      } else {
        text.append(c);
      }
    }
    return texts;
  }
}
