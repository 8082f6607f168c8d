// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.model.gguf.Metadata;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a text into the words that byte-level BPE works on: each pattern in turn cuts every piece
 * into its matches and what lies between. The patterns are those of the models' own tokenizer.json.
 *
 * @param wholeWords whether a word that is a token is taken as it is, whatever the merges say
 * @param addsBegin whether texts begin with the begin token when the file does not say
 */
record PreTokenizer(List<Pattern> patterns, boolean wholeWords, boolean addsBegin) {
  private static final String KEY = Vocabulary.PREFIX + "pre";
  private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  private static final String SPACES = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String GPT2 =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)";
  private static final String UPPER_THEN_LOWER =
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+";
  private static final String UPPER_MAYBE_LOWER =
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*";
  private static final String CJK = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+";

  private static final Map<String, PreTokenizer> ALL = new TreeMap<>();

  static {
    PreTokenizer gpt2 = plain(GPT2);
    PreTokenizer digits = plain("\\p{N}", GPT2);
    PreTokenizer llama3 = new PreTokenizer(compile(contracted("\\p{N}{1,3}")), true, true);
    ALL.put("gpt-2", gpt2);
    ALL.put("mpt", gpt2);
    ALL.put("olmo", gpt2);
    ALL.put("phi-2", gpt2);
    ALL.put("starcoder", digits);
    ALL.put("refact", digits);
    ALL.put("command-r", digits);
    ALL.put("smollm", digits);
    ALL.put("llama-bpe", llama3);
    ALL.put("llama3", llama3);
    ALL.put("llama-v3", llama3);
    ALL.put("pixtral", llama3);
    ALL.put("falcon3", llama3);
    ALL.put("smaug-bpe", plain(contracted("\\p{N}{1,3}")));
    ALL.put("dbrx", ALL.get("smaug-bpe"));
    ALL.put("qwen2", plain(contracted("\\p{N}")));
    ALL.put("deepseek-r1-qwen", ALL.get("qwen2"));
    ALL.put("falcon", plain("[\\p{P}$+<=>^~|`]+", GPT2, "[0-9][0-9][0-9]"));
    ALL.put(
        "deepseek-llm",
        plain(
            "[\\r\\n]",
            "\\s?" + CasedLetters.CLASS + "+",
            "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+",
            "\\s+$",
            CJK,
            "\\p{N}+"));
    ALL.put(
        "deepseek-v3",
        plain(
            "\\p{N}{1,3}",
            "[\u4e00-\u9fa5\u3040-\u30ff]+",
            "[!-/:-@\\[-`{-~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                + "| ?[\\p{P}\\p{S}]+[\\r\\n]*"
                + SPACES));
    ALL.put(
        "seed-coder",
        plain(
            CONTRACTIONS + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+" + SPACES));
    ALL.put("deepseek-coder", plain("[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", CJK, "\\p{N}"));
    ALL.put(
        "gpt-4o",
        plain(
            UPPER_THEN_LOWER
                + CONTRACTIONS
                + "?|"
                + UPPER_MAYBE_LOWER
                + CONTRACTIONS
                + "?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*"
                + SPACES));
    ALL.put("llama4", ALL.get("gpt-4o"));
    ALL.put(
        "tekken",
        new PreTokenizer(
            compile(
                UPPER_THEN_LOWER
                    + "|"
                    + UPPER_MAYBE_LOWER
                    + "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*"
                    + SPACES),
            true,
            true));
    ALL.put("default", plain("[\\p{P}$+<=>^~|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"));
  }

  /**
   * The pre-tokenizer of that name.
   *
   * @throws ConsortException UNSUPPORTED, listing those there are: guessing would cut texts wrongly
   */
  static PreTokenizer of(String name) {
    PreTokenizer found = ALL.get(name);
    if (found == null) {
      throw unsupported(
          "found pre-tokenizer \"%s\"".formatted(name),
          "give token ids instead of text, or choose another model");
    }
    return found;
  }

  /**
   * The pre-tokenizer that a file names.
   *
   * @throws ConsortException UNSUPPORTED if it names none, or one that is not known here
   */
  static PreTokenizer read(Metadata metadata) {
    if (!metadata.has(KEY)) {
      throw unsupported(
          "metadata key " + KEY + " is missing",
          "convert the model again, or give token ids instead of text");
    }
    return of(metadata.string(KEY));
  }

  private static ConsortException unsupported(String found, String advice) {
    return new ConsortException(
        ErrorCode.UNSUPPORTED,
        "%s, expected one of %s; %s".formatted(found, String.join(", ", ALL.keySet()), advice));
  }

  /** The words of a text in order. */
  List<String> words(String text) {
    List<String> words = List.of(text);
    for (Pattern pattern : patterns) {
      List<String> finer = new ArrayList<>();
      words.forEach(word -> cut(pattern, word, finer));
      words = finer;
    }
    return words;
  }

  private static void cut(Pattern pattern, String word, List<String> result) {
    Matcher matcher = pattern.matcher(word);
    int from = 0;
    while (matcher.find()) {
      add(word.substring(from, matcher.start()), result);
      add(matcher.group(), result);
      from = matcher.end();
    }
    add(word.substring(from), result);
  }

  private static void add(String piece, List<String> result) {
    if (!piece.isEmpty()) {
      result.add(piece);
    }
  }

  private static String contracted(String number) {
    return CONTRACTIONS
        + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
        + number
        + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
        + SPACES;
  }

  private static PreTokenizer plain(String... patterns) {
    return new PreTokenizer(compile(patterns), false, false);
  }

  private static List<Pattern> compile(String... patterns) {
    return Arrays.stream(patterns)
        .map(p -> Pattern.compile(p, Pattern.UNICODE_CHARACTER_CLASS))
        .toList();
  }
}
