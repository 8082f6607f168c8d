// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.chat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes what Jinja2 means and Jinjava reads otherwise, or not at all, in a form that both read
 * alike. Only within tags and expressions.
 */
final class JinjaDialect {
  private static final Pattern TAG = Pattern.compile("\\{%.*?%}|\\{\\{.*?}}", Pattern.DOTALL);
  private static final Pattern REVERSED = Pattern.compile("\\[\\s*::\\s*-1\\s*]");
  private static final String OPERAND = "([\\w.]+(?:\\[[^\\]]*\\])*|'[^']*'|\"[^\"]*\")";
  private static final Pattern NOT_IS =
      Pattern.compile("\\bnot\\s+" + OPERAND + "\\s+is\\s+(?!not)");
  private static final Pattern NOT_IN = Pattern.compile("\\bnot\\s+" + OPERAND + "\\s+in\\s+");
  private static final Pattern NOT_EQUAL =
      Pattern.compile("\\bnot\\s+" + OPERAND + "\\s*([=!])=\\s*");
  private static final String NAMESPACE = "namespace(";

  private JinjaDialect() {}

  static String adapt(String template) {
    return TAG.matcher(template).replaceAll(tag -> Matcher.quoteReplacement(adaptTag(tag.group())));
  }

  private static String adaptTag(String tag) {
    String text = REVERSED.matcher(tag).replaceAll("|reverse|list");
    text = NOT_IS.matcher(text).replaceAll("$1 is not ");
    text = NOT_IN.matcher(text).replaceAll("$1 not in ");
    text =
        NOT_EQUAL
            .matcher(text)
            .replaceAll(
                found -> quoted(found.group(1)) + (found.group(2).equals("=") ? " != " : " == "));
    int at = text.indexOf(NAMESPACE);
    return at < 0 ? text : namespace(text, at + NAMESPACE.length());
  }

  private static String quoted(String text) {
    return Matcher.quoteReplacement(text);
  }

  /** Puts the arguments' values in brackets. */
  private static String namespace(String text, int start) {
    StringBuilder out = new StringBuilder(text.substring(0, start));
    int depth = 0;
    char quote = 0;
    boolean value = false;
    int at = start;
    for (; at < text.length() && depth >= 0; at++) {
      char c = text.charAt(at);
      if (quote != 0) {
        quote = c == quote ? 0 : quote;
      } else if (c == '\'' || c == '"') {
        quote = c;
      } else if ("([{".indexOf(c) >= 0) {
        depth++;
      } else if (")]}".indexOf(c) >= 0) {
        depth--;
      }
      boolean ends = quote == 0 && (depth < 0 || depth == 0 && c == ',');
      if (ends && value) {
        out.append(')');
        value = false;
      }
      out.append(c);
      if (quote == 0 && depth == 0 && c == '=' && !value) {
        out.append('(');
        value = true;
      }
    }
    return out.append(text.substring(at)).toString();
  }
}
