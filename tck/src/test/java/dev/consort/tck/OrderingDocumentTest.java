// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The ordering contract names the tests of its rules; they must exist. */
class OrderingDocumentTest {
  private static final Path DOCUMENT = Path.of("..", "docs", "ordering.md");
  private static final Pattern RULE = Pattern.compile("(?ms)^## (\\d)\\..*?(?=^## |\\z)");
  private static final Pattern TESTS = Pattern.compile("(?ms)^Tests: (.*?)\\n\\n");
  private static final Pattern NAME = Pattern.compile("`(?:([A-Z]\\w+)\\.)?([a-z]\\w+|\\*)`");
  private static final List<String> PACKAGES =
      List.of(
          "dev.consort.tck.",
          "dev.consort.tck.reference.",
          "dev.consort.tck.trace.",
          "dev.consort.tck.broken.");

  @Test
  void everyRuleNamesTestsThatExist() throws IOException {
    List<String> rules = new ArrayList<>();
    for (MatchResult rule : matches(RULE, Files.readString(DOCUMENT))) {
      rules.add(rule.group(1));
      List<MatchResult> tests = matches(TESTS, rule.group() + "\n\n");
      assertThat(tests).as("paragraphs of tests in rule %s", rule.group(1)).hasSize(1);
      String owner = "";
      for (MatchResult name : matches(NAME, tests.getFirst().group(1))) {
        owner = name.group(1) == null ? owner : name.group(1);
        assertExists(owner, name.group(2));
      }
    }
    assertThat(rules).containsExactly("1", "2", "3", "4", "5", "6", "7", "8");
  }

  private static List<MatchResult> matches(Pattern pattern, String text) {
    return pattern.matcher(text).results().toList();
  }

  private static void assertExists(String owner, String method) {
    Class<?> type = find(owner);
    if (!method.equals("*")) {
      assertThat(Arrays.stream(type.getDeclaredMethods()).map(m -> m.getName()))
          .as("tests of %s", owner)
          .contains(method);
    }
  }

  private static Class<?> find(String simpleName) {
    for (String in : PACKAGES) {
      try {
        return Class.forName(in + simpleName);
      } catch (ClassNotFoundException e) {
        continue;
      }
    }
    throw new AssertionError("there is no test class " + simpleName);
  }
}
