// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.DataType;
import dev.consort.host.run.Engine;
import dev.consort.host.run.EngineOptions;
import dev.consort.host.run.Sequence;
import dev.consort.model.Model;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes the logits after every token. */
@Command(
    name = "logits",
    description =
        "Write the logits after every one of the given tokens: little-endian F32, [tokens][vocab].",
    sortOptions = false)
final class LogitsCommand implements Callable<ExitCode> {
  private final Console console;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE",
      required = true,
      description = "The model.")
  private Path file = Path.of("");

  @Option(
      names = {"-t", "--tokens"},
      paramLabel = "ID,ID,...",
      required = true,
      description = "Token ids, at positions 0 and up.")
  private String tokens = "";

  @Option(names = "--step", description = "One token at a time (default: all in one batch).")
  private boolean step;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description = "The file to write.")
  private Path output = Path.of("");

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = ThreadsOption.DESCRIPTION)
  private int threads;

  @Mixin private ContextOption context = new ContextOption();

  @Mixin private RigOptions options = new RigOptions();

  LogitsCommand(Console console) {
    this.console = console;
  }

  @Override
  public ExitCode call() {
    int vocabulary;
    int[] ids;
    try (Model model = Model.open(file)) {
      vocabulary = model.parameters().vocabulary();
      ids = Tokens.parse(tokens, vocabulary);
    }
    EngineOptions defaults =
        EngineOptions.defaults().withContext(ids.length).withCache(DataType.F32, DataType.F32);
    try (OutputFile out = OutputFile.create(output);
        Rig rig = options.even(console, file, threads, context.over(defaults))) {
      write(rig.engine(), ids, out);
      out.finish();
      Summary.members(console, rig.engine());
    }
    console.say("wrote %s: %d rows of %d logits", output, ids.length, vocabulary);
    return ExitCode.OK;
  }

  private void write(Engine engine, int[] ids, OutputFile out) {
    byte[] row = new byte[engine.vocabulary() * Float.BYTES];
    try (Sequence sequence = engine.sequence()) {
      if (step) {
        for (int id : ids) {
          out.write(littleEndian(sequence.append(id), row));
        }
      } else {
        sequence.appendAll(ids);
        for (int i = 0; i < ids.length; i++) {
          out.write(littleEndian(engine.logits(i), row));
        }
      }
    }
  }

  private static byte[] littleEndian(MemorySegment logits, byte[] row) {
    ByteBuffer.wrap(row)
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .put(logits.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer());
    return row;
  }
}
