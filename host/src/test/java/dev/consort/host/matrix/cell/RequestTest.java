// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.ProcAddresses;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class RequestTest {
  private static final String NASTY = "tab\t, line\nfeed\r, back\\slash \\t, Zürich";

  /** A path has to be one in the POSIX locale too. */
  private static final Path NASTY_PATH = Path.of(NASTY.replace("ü", "ue"));

  @Test
  void aRequestSurvivesItsLine() {
    Request.Job job =
        new Request.Job(
            Section.OPS,
            Depth.FULL,
            new Target("a*2", List.of("a:0", "a:0"), List.of(1.0, 0.25)),
            List.of(NASTY_PATH, Path.of("b")),
            7);
    Request request =
        new Request(
            "mark",
            Optional.of(NASTY_PATH),
            List.of("", NASTY),
            Map.of("k", NASTY, NASTY, ""),
            Optional.of(job));
    String line = request.encode();
    assertThat(line).doesNotContain("\n", "\r");
    assertThat(Request.decode(line)).isEqualTo(request);
    Request probe = new Request("m", Optional.empty(), List.of(), Map.of(), Optional.empty());
    assertThat(Request.decode(probe.encode())).isEqualTo(probe);
  }

  @Test
  void aMessageIsFoundBehindWhatAPluginPrinted() {
    Message message = new Message(Message.Kind.AT, List.of(NASTY));
    assertThat(Message.decode("mark", "driver says hello" + message.encode("mark")))
        .contains(message);
    assertThat(Message.decode("mark", "driver says hello")).isEmpty();
  }

  @Test
  void fallbacksAreThoseOfTheApi() throws IOException {
    String source =
        Files.readString(Path.of("../api/src/main/java/dev/consort/api/ProcAddresses.java"));
    Matcher matcher =
        Pattern.compile("Fallback: (.*?)\\. \\*/.*?ProcAddress<>\\(\"(\\w+)\"", Pattern.DOTALL)
            .matcher(source);
    int found = 0;
    while (matcher.find()) {
      String said = matcher.group(1).replaceAll("\\{@link \\w*#(\\w+)(\\(\\))?}", "$1");
      String name = matcher.group(2);
      String fallback =
          ProcAddresses.all().stream()
              .filter(address -> address.name().equals(name))
              .map(CapabilityCells::fallback)
              .findFirst()
              .orElseThrow();
      assertThat(words(fallback)).as(name).isEqualTo(words(said));
      found++;
    }
    assertThat(found).isEqualTo(ProcAddresses.all().size());
  }

  /** Without what differs between a Javadoc link and words. */
  private static String words(String text) {
    return text.replace("bufferType", "the device's buffer type")
        .replace("Device#", "")
        .toLowerCase(java.util.Locale.ROOT);
  }
}
