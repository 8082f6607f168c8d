// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.chat;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.el.JinjavaInterpreterResolver;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.model.gguf.GgufFile;
import dev.consort.model.tokenizer.Tokenizer;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import jinjava.javax.el.CompositeELResolver;

/**
 * Turns a conversation into the text a model was trained on, by a Jinja template. A template that
 * can't be followed to the letter is refused: what a model is told is never guessed. Thread safe.
 */
public final class ChatTemplate {
  private static final String KEY = "tokenizer.chat_template";
  private static final long MOST_CHARACTERS = 1 << 26;

  private final String name;
  private final String source;
  private final Jinjava jinjava;
  private final Map<String, Object> fixed;

  /**
   * @param name how errors call it
   * @param tokenizer whose special tokens the template may name
   */
  public ChatTemplate(String name, String source, Tokenizer tokenizer) {
    this.name = name;
    String lines = source.endsWith("\n") ? source.substring(0, source.length() - 1) : source;
    this.source = JinjaDialect.adapt(lines);
    this.jinjava = jinjava();
    this.fixed =
        Map.of(
            "bos_token",
            text(tokenizer, tokenizer.begin()),
            "eos_token",
            text(tokenizer, tokenizer.end()),
            // Templates ask whether functions are defined; Jinjava looks among variables.
            "strftime_now",
            "strftime_now",
            "raise_exception",
            "raise_exception");
  }

  /**
   * The template in a model's file.
   *
   * @throws ConsortException UNSUPPORTED if it has none
   */
  public static ChatTemplate of(GgufFile file, Tokenizer tokenizer) {
    if (!file.metadata().has(KEY)) {
      throw new ConsortException(
          ErrorCode.UNSUPPORTED,
          "%s has no chat template (%s); continue texts with consort run, or give a template with"
                  .formatted(file.path(), KEY)
              + " --chat-template-file");
    }
    return new ChatTemplate(
        "the chat template of " + file.path(), file.metadata().string(KEY), tokenizer);
  }

  /**
   * The text of a conversation, up to where the model has the word.
   *
   * @throws ConsortException UNSUPPORTED, with the template's line, if it can't be followed or
   *     refuses the conversation
   */
  public String render(List<Message> messages) {
    String text = render(messages, true);
    String last = messages.getLast().content().strip();
    if (!text.contains(last)) {
      throw refused("what was said last is not in its text");
    }
    if (source.contains("add_generation_prompt") && text.equals(render(messages, false))) {
      throw refused("it does not give the model the word");
    }
    return text;
  }

  private String render(List<Message> messages, boolean answer) {
    List<Map<String, String>> said = new ArrayList<>();
    for (Message message : messages) {
      said.add(Map.of("role", message.role(), "content", message.content()));
    }
    Map<String, Object> values = new HashMap<>(fixed);
    values.put("messages", said);
    values.put("add_generation_prompt", answer);
    RenderResult result = jinjava.renderForResult(source, values);
    if (!result.getErrors().isEmpty()) {
      throw refused(
          result.getErrors().stream()
              .map(ChatTemplate::describe)
              .distinct()
              .limit(3)
              .collect(Collectors.joining("; ")));
    }
    return result.getOutput();
  }

  private ConsortException refused(String reason) {
    return new ConsortException(
        ErrorCode.UNSUPPORTED,
        "%s can't be followed: %s; give another with --chat-template-file".formatted(name, reason));
  }

  private static String describe(TemplateError error) {
    Throwable cause = error.getException();
    while (cause != null && cause.getCause() != null) {
      cause = cause.getCause();
    }
    String reason = cause instanceof Refusal ? cause.getMessage() : error.getMessage();
    return "line %d: %s".formatted(error.getLineno(), reason);
  }

  private static Jinjava jinjava() {
    CompositeELResolver resolver = new CompositeELResolver();
    resolver.add(new PythonMethods());
    resolver.add(JinjavaInterpreterResolver.DEFAULT_RESOLVER_READ_ONLY);
    LegacyOverrides asJinja =
        LegacyOverrides.newBuilder()
            .withEvaluateMapKeys(true)
            .withIterateOverMapKeys(true)
            .withUsePyishObjectMapper(true)
            .withUseNaturalOperatorPrecedence(true)
            .withParseWhitespaceControlStrictly(true)
            .withAllowAdjacentTextNodes(true)
            .withUseTrimmingForNotesAndExpressions(true)
            .withKeepNullableLoopValues(true)
            .withHandleBackslashInQuotesOnly(true)
            .build();
    Jinjava jinjava =
        new Jinjava(
            JinjavaConfig.newBuilder()
                .withTrimBlocks(true)
                .withLstripBlocks(true)
                .withKeepTrailingNewline(true)
                .withNestedInterpretationEnabled(false)
                .withMaxOutputSize(MOST_CHARACTERS)
                .withElResolver(resolver)
                .withLegacyOverrides(asJinja)
                .build());
    jinjava
        .getGlobalContext()
        .registerFunction(
            new ELFunctionDefinition(
                "", "raise_exception", ChatTemplate.class, "raise", String.class));
    jinjava
        .getGlobalContext()
        .registerFunction(
            new ELFunctionDefinition("", "strftime_now", ChatTemplate.class, "now", String.class));
    return jinjava;
  }

  /** What a template says when it does not take a conversation. */
  private static final class Refusal extends RuntimeException {
    Refusal(String message) {
      super(message);
    }
  }

  /** The template function {@code raise_exception}. */
  public static String raise(String message) {
    throw new Refusal(message);
  }

  /** The template function {@code strftime_now}, for the letters that templates use. */
  public static String now(String format) {
    LocalDateTime now = LocalDateTime.now();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      if (format.charAt(i) != '%' || i + 1 == format.length()) {
        text.append(format.charAt(i));
        continue;
      }
      String pattern =
          switch (format.charAt(++i)) {
            case 'Y' -> "uuuu";
            case 'm' -> "MM";
            case 'd' -> "dd";
            case 'b' -> "MMM";
            case 'B' -> "MMMM";
            case 'H' -> "HH";
            case 'M' -> "mm";
            case 'S' -> "ss";
            case 'A' -> "EEEE";
            case 'a' -> "EEE";
            default -> throw new Refusal("strftime_now(\"%s\") is not known".formatted(format));
          };
      text.append(now.format(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH)));
    }
    return text.toString();
  }

  private static String text(Tokenizer tokenizer, OptionalInt token) {
    return token.isPresent() ? tokenizer.text(token.getAsInt()) : "";
  }
}
