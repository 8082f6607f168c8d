// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.chat.ChatTemplate;
import dev.consort.host.chat.Conversation;
import dev.consort.host.chat.Message;
import dev.consort.host.run.Engine;
import dev.consort.host.run.EngineOptions;
import dev.consort.host.run.Sequence;
import dev.consort.model.Model;
import dev.consort.model.sampling.SamplerChain;
import dev.consort.model.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Talks with a model. */
@Command(
    name = "chat",
    description = "Talk with a model by its chat template; /clear starts anew, /exit ends.",
    sortOptions = false)
final class ChatCommand implements Callable<ExitCode> {
  private final Console console;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE",
      required = true,
      description = "The model.")
  private Path file = Path.of("");

  @Option(
      names = {"-sys", "--system-prompt"},
      paramLabel = "TEXT",
      description = "What the model is told before the conversation.")
  private @Nullable String system;

  @Option(
      names = "--chat-template-file",
      paramLabel = "FILE",
      description = "A Jinja template to use instead of the model's.")
  private @Nullable Path templateFile;

  @Option(
      names = {"-n", "--predict", "--n-predict"},
      paramLabel = "N",
      defaultValue = "-1",
      description =
          "The most tokens of an answer; -1 for all the context (default: ${DEFAULT-VALUE}).")
  private int predict = -1;

  @Mixin private SamplingArguments sampling = new SamplingArguments();

  @Mixin private ThreadsOption threads = new ThreadsOption();

  @Mixin private ContextOption context = new ContextOption();

  @Mixin private RigOptions options = new RigOptions();

  ChatCommand(Console console) {
    this.console = console;
  }

  @Override
  public ExitCode call() {
    try (Model model = Model.open(file)) {
      template(model, tokenizer(model));
    }
    EngineOptions engine = context.over(EngineOptions.defaults());
    try (Rig rig = options.measured(console, file, threads.threads(), engine);
        Sequence sequence = rig.engine().sequence();
        LineInput input = LineInput.open(console)) {
      talk(rig.engine(), sequence, input);
    }
    return ExitCode.OK;
  }

  private void talk(Engine engine, Sequence sequence, LineInput input) {
    Tokenizer tokenizer = tokenizer(engine.model());
    Conversation conversation =
        new Conversation(
            sequence,
            tokenizer,
            template(engine.model(), tokenizer),
            SamplerChain.of(sampling.options(), engine.vocabulary()),
            engine.context());
    begin(conversation);
    for (Optional<String> line = input.next(); line.isPresent(); line = input.next()) {
      String said = line.get().strip();
      switch (said) {
        case "" -> {}
        case "/exit" -> {
          return;
        }
        case "/clear" -> {
          conversation.clear();
          begin(conversation);
        }
        default -> answer(conversation, said);
      }
    }
  }

  private void begin(Conversation conversation) {
    if (system != null) {
      conversation.add(new Message(Message.SYSTEM, system));
    }
  }

  private void answer(Conversation conversation, String said) {
    try {
      Conversation.Turn turn =
          conversation.say(
              said,
              predict,
              text -> {
                console.out().print(text);
                console.out().flush();
              });
      console.out().println();
      if (options.isVerbose()) {
        console.say("%d tokens reused, %d read, %d said", turn.kept(), turn.read(), turn.said());
      }
    } catch (ConsortException e) {
      if (e.code() != ErrorCode.OUT_OF_MEMORY) {
        throw e;
      }
      console.say("consort: %s", e.getMessage());
    }
  }

  private ChatTemplate template(Model model, Tokenizer tokenizer) {
    if (templateFile == null) {
      return ChatTemplate.of(model.file(), tokenizer);
    }
    try {
      return new ChatTemplate(templateFile.toString(), Files.readString(templateFile), tokenizer);
    } catch (IOException e) {
      throw new ConsortException(
          Files.exists(templateFile) ? ErrorCode.IO : ErrorCode.NOT_FOUND,
          "%s can't be read (%s); check the path".formatted(templateFile, e),
          e);
    }
  }

  private static Tokenizer tokenizer(Model model) {
    return model
        .tokenizer()
        .orElseThrow(
            () ->
                new ConsortException(
                    ErrorCode.UNSUPPORTED,
                    "%s holds no vocabulary, so nobody can talk with it"
                        .formatted(model.file().path())));
  }
}
