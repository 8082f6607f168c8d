// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * The entry of the command line: finds the command, runs it, and turns whatever goes wrong into one
 * message and an {@link ExitCode}.
 */
@Command(
    name = "consort",
    version = "consort 0.1.0",
    description = "Runs a model on a meta device made of any mix of devices.",
    synopsisSubcommandLabel = "COMMAND")
public final class Main {
  private static final Map<String, Function<Console, Object>> COMMANDS = commands();

  private final Console console;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  private boolean help;

  @Option(names = "--version", versionHelp = true, description = "Show the version.")
  private boolean version;

  Main(Console console) {
    this.console = console;
  }

  private static Map<String, Function<Console, Object>> commands() {
    Map<String, Function<Console, Object>> commands = new LinkedHashMap<>();
    commands.put("devices", DevicesCommand::new);
    commands.put("plugins", PluginsCommand::new);
    commands.put("matrix", MatrixCommand::new);
    commands.put("verify", VerifyCommand::new);
    commands.put("run", RunCommand::new);
    commands.put("chat", ChatCommand::new);
    commands.put("logits", LogitsCommand::new);
    commands.put("bench", BenchCommand::new);
    commands.put("check", CheckCommand::new);
    commands.put("quantize", QuantizeCommand::new);
    commands.put("perplexity", PerplexityCommand::new);
    commands.put("synth", SynthCommand::new);
    return commands;
  }

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] args) {
    EarlyStart.begin(args);
    int code = new Main(Console.system()).run(args);
    EarlyStart.end();
    System.out.flush();
    // Threads of a plugin that was given up must not keep the process alive.
    System.exit(code);
  }

  /** Runs one command in this process and returns its exit code. */
  int run(String... args) {
    CommandLine line = commandLine(args);
    line.setOut(new java.io.PrintWriter(console.out(), true));
    line.setErr(new java.io.PrintWriter(console.err(), true));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setAbbreviatedOptionsAllowed(false);
    line.setUsageHelpAutoWidth(true);
    line.setParameterExceptionHandler((error, given) -> usageError(error));
    line.setExecutionExceptionHandler((error, at, parsed) -> failed(error, args).number());
    line.setExitCodeExceptionMapper(error -> ExitCode.INTERNAL.number());
    return exitNumber(line, args);
  }

  private int exitNumber(CommandLine line, String... args) {
    if (args.length == 0) {
      line.usage(console.err());
      return ExitCode.USAGE.number();
    }
    int code;
    try {
      code = line.execute(args);
    } catch (Error e) {
      return failed(e, args).number();
    }
    ParseResult parsed = line.getParseResult();
    if (code == 0 && parsed != null && parsed.hasSubcommand()) {
      while (parsed.hasSubcommand()) {
        parsed = parsed.subcommand();
      }
      Object result = parsed.commandSpec().commandLine().getExecutionResult();
      return result instanceof ExitCode exit ? exit.number() : code;
    }
    return code;
  }

  /** Builds only the command that was named, so that a start pays for no other. */
  private CommandLine commandLine(String... args) {
    CommandLine line = new CommandLine(this);
    String first = args.length == 0 ? "" : args[0];
    COMMANDS.forEach(
        (name, make) -> {
          if (!COMMANDS.containsKey(first) || name.equals(first)) {
            CommandLine command = new CommandLine(make.apply(console));
            if (name.equals("plugins")) {
              command.addSubcommand("lock", new PluginsLockCommand(console));
              command.addSubcommand("watch", new PluginsWatchCommand(console));
            }
            line.addSubcommand(name, command);
          }
        });
    return line;
  }

  private int usageError(ParameterException error) {
    String command = error.getCommandLine().getCommandSpec().qualifiedName();
    console.say("%s: %s", command, error.getMessage());
    if (!CommandLine.UnmatchedArgumentException.printSuggestions(
        error, new java.io.PrintWriter(console.err(), true))) {
      console.say("Try: %s --help", command);
    }
    return ExitCode.USAGE.number();
  }

  private ExitCode failed(Throwable error, String... args) {
    ExitCode code =
        switch (error) {
          case ConsortException e -> ExitCode.of(e.code());
          case OutOfMemoryError e -> ExitCode.OUT_OF_MEMORY;
          default -> ExitCode.INTERNAL;
        };
    console.say("consort: %s", message(error));
    if (Arrays.stream(args).anyMatch(arg -> arg.equals("-v") || arg.equals("--verbose"))) {
      error.printStackTrace(console.err());
    } else if (code == ExitCode.INTERNAL) {
      console.say("This is a defect; --verbose shows where it happened.");
    }
    return code;
  }

  private static String message(Throwable error) {
    if (error instanceof ConsortException) {
      return String.valueOf(error.getMessage());
    }
    return error instanceof OutOfMemoryError
        ? "the Java heap is full: " + error.getMessage() + "; give it more with JAVA_OPTS=-Xmx4g"
        : error.toString();
  }
}
