// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.host.demo.DemoModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatCommandTest {
  private static final String MODEL = DemoModel.file().toString();
  private static final String TEMPLATE =
      "{% for m in messages %}{% if m.role == 'user' %}{{ '<s>Q: ' + m.content + '\\nA: ' }}"
          + "{% else %}{{ m.content + '</s>' }}{% endif %}{% endfor %}";

  @TempDir Path folder;

  @Test
  void turnsAreAnsweredAndWhatWasReadIsNotReadAgain() {
    Cli cli =
        chat(
            TEMPLATE,
            "What is 348 + 275?\n\nSort 4 9 1.\n/clear\nWhat is 12 + 30?\n/exit\nWhat is 1 + 1?\n");
    assertThat(cli.exit()).as(cli.err()).isZero();
    assertThat(cli.lines()).containsExactly("623", "1 4 9", "42");
    assertThat(cli.err())
        .containsSubsequence(
            "0 tokens reused, 26 read, 3 said", "29 tokens reused, 20 read", "0 tokens reused");
  }

  @Test
  void theEndOfTheInputEndsTheConversation() {
    assertThat(chat(TEMPLATE, "What is 12 + 30?").out().strip()).isEqualTo("42");
    assertThat(chat(TEMPLATE, "").exit()).isZero();
  }

  @Test
  void aConversationThatOutgrowsTheContextSaysSoAndGoesOn() {
    Cli cli = chat(TEMPLATE, "What is 348 + 275?\n/clear\nWhat is 1 + 1?\n", "-c", "24");
    assertThat(cli.exit()).as(cli.err()).isZero();
    assertThat(cli.err()).contains("26 tokens, the context 24", "/clear", "-c");
    assertThat(cli.out().strip()).isEqualTo("2");
  }

  @Test
  void noTemplateOrABrokenOneIsNamed() {
    Cli none = Cli.typed("Hi\n", "chat", "-m", MODEL);
    assertThat(none.exit()).isEqualTo(4);
    assertThat(none.err()).contains("no chat template", "consort run");
    Cli broken = chat("{% for m in messages %}", "Hi\n");
    assertThat(broken.exit()).isEqualTo(4);
    assertThat(broken.err()).contains("template.jinja", "line 1", "endfor");
    assertThat(broken.out()).isEmpty();
  }

  private Cli chat(String template, String input, String... options) {
    try {
      Path file = Files.writeString(folder.resolve("template.jinja"), template);
      String[] line = {
        "chat", "-m", MODEL, "--chat-template-file", file.toString(), "--devices", "cpu:0", "-v"
      };
      String[] all = java.util.Arrays.copyOf(line, line.length + options.length);
      System.arraycopy(options, 0, all, line.length, options.length);
      return Cli.typed(input, all);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
