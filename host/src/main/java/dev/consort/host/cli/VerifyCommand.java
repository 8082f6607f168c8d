// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.matrix.ForkedJvm;
import dev.consort.host.plugin.JarHash;
import dev.consort.host.verify.Verification;
import dev.consort.host.verify.VerifyReport;
import dev.consort.host.verify.VerifyRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs the conformance kit on a plugin's JAR. */
@Command(
    name = "verify",
    description = {
      "Run the conformance kit on a plugin's JAR, in forked JVMs.",
      "A JAR that no plugins.lock lists is loaded only if you say so. Ends with 11 if a test failed"
          + " or crashed."
    },
    sortOptions = false)
final class VerifyCommand implements Callable<ExitCode> {
  private final Console console;

  @Parameters(paramLabel = "JAR", description = "The plugin.")
  private Path jar = Path.of("");

  @Option(
      names = "--trust",
      paramLabel = "SHA256",
      description = "Load the JAR if it has this SHA-256, without asking.")
  private @Nullable String trust;

  @Option(
      names = {"-y", "--yes"},
      description = "Load the JAR without asking, whatever it is.")
  private boolean yes;

  @Option(
      names = "--device",
      paramLabel = "N",
      defaultValue = "0",
      description = "Which of its devices is tested (default: ${DEFAULT-VALUE}).")
  private int device;

  @Option(
      names = "--sections",
      paramLabel = "LIST",
      split = ",",
      description = "Parts of the kit, as in Operations,Ordering (default: all).")
  private List<String> sections = List.of();

  @Option(
      names = "--limit",
      paramLabel = "SECONDS",
      defaultValue = "120",
      description = "How long a test may say nothing (default: ${DEFAULT-VALUE}).")
  private int limit = 120;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description =
          "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}, a summary; the others list every"
              + " test).",
      defaultValue = "text")
  private TableFormat format = TableFormat.TEXT;

  @Mixin private HostOptions host = new HostOptions();

  VerifyCommand(Console console) {
    this.console = console;
  }

  @Override
  public ExitCode call() {
    if (!Files.isRegularFile(jar)) {
      throw new ConsortException(
          ErrorCode.NOT_FOUND, "%s is no file; name a plugin's JAR".formatted(jar));
    }
    if (limit < 1 || device < 0) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "found --limit %d and --device %d, expected a number from 1 and one from 0"
              .formatted(limit, device));
    }
    String sha256 = JarHash.sha256(jar);
    VerifyTrust.Answer answer = yes ? VerifyTrust.Answer.YES : VerifyTrust.Answer.ASK;
    new VerifyTrust(console, Optional.ofNullable(trust), answer)
        .require(jar, sha256, host.folder());
    VerifyReport report;
    try (VerifyProgress progress = new VerifyProgress(console)) {
      report =
          Verification.run(
              new VerifyRequest(
                  jar,
                  sha256,
                  device,
                  settings(),
                  sections,
                  Duration.ofSeconds(limit),
                  ForkedJvm.likeThisOne()),
              progress);
    }
    VerifyText.write(report, format, host.isVerbose(), console);
    return report.isGreen() ? ExitCode.OK : ExitCode.CHECK_FAILED;
  }

  /** Settings are given with the plugin's name, {@code --set vulkan.matrix_cores=on}. */
  private Map<String, String> settings() {
    return host.settings().entrySet().stream()
        .collect(
            Collectors.toMap(
                setting -> setting.getKey().substring(setting.getKey().indexOf('.') + 1),
                Map.Entry::getValue));
  }
}
