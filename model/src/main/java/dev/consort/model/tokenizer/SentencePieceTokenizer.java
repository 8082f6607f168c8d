// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.tokenizer;

import dev.consort.model.gguf.Metadata;
import java.nio.charset.StandardCharsets;

/**
 * The tokenizer that files call {@code llama}: SentencePiece with scores, U+2581 for spaces and
 * byte fallback.
 */
final class SentencePieceTokenizer extends VocabularyTokenizer {
  private static final String SPACE = "\u2581";
  private static final int DEFAULT_BEGIN = 1;
  private static final int DEFAULT_END = 2;
  private static final int DEFAULT_UNKNOWN = 0;

  private final boolean addSpace;
  private final int[] byteTokens = new int[256];

  private SentencePieceTokenizer(Vocabulary vocabulary) {
    super(
        vocabulary,
        new Around(
            vocabulary.special("bos_token_id", DEFAULT_BEGIN),
            vocabulary.special("eos_token_id", DEFAULT_END),
            vocabulary.flag("add_bos_token", true),
            vocabulary.flag("add_eos_token", false)));
    this.addSpace = vocabulary.flag("add_space_prefix", true);
    int unknown = vocabulary.special("unknown_token_id", DEFAULT_UNKNOWN).orElse(0);
    byte[] written = "<0x00>".getBytes(StandardCharsets.US_ASCII);
    for (int b = 0; b < byteTokens.length; b++) {
      written[3] = hexDigit(b >> 4);
      written[4] = hexDigit(b & 15);
      int id = vocabulary.find(written, 0, written.length);
      int plain = vocabulary.find(new byte[] {(byte) b}, 0, 1);
      byteTokens[b] = id >= 0 ? id : plain >= 0 ? plain : unknown;
    }
  }

  private static byte hexDigit(int value) {
    return (byte) "0123456789ABCDEF".charAt(value);
  }

  static SentencePieceTokenizer read(Metadata metadata) {
    return new SentencePieceTokenizer(new Vocabulary(metadata));
  }

  @Override
  void encodePart(String text, boolean afterSpecial, IntList result) {
    String prefixed = addSpace && afterSpecial ? " " + text : text;
    byte[] utf8 = prefixed.replace(" ", SPACE).getBytes(StandardCharsets.UTF_8);
    new SentencePieceMerge(vocabulary(), byteTokens, utf8).run(result);
  }

  /** Leaves out the space that encoding puts in front. */
  @Override
  public String decode(int... ids) {
    String text = super.decode(ids);
    return addSpace && text.startsWith(" ") ? text.substring(1) : text;
  }

  @Override
  byte[] normal(int id) {
    return switch (vocabulary().type(id)) {
      case BYTE -> new byte[] {byteValue(id)};
      case USER_DEFINED -> vocabulary().bytes(id);
      default -> vocabulary().text(id).replace(SPACE, " ").getBytes(StandardCharsets.UTF_8);
    };
  }

  /** Byte tokens are written {@code <0x0A>}. */
  private byte byteValue(int id) {
    try {
      return (byte) Integer.parseInt(vocabulary().text(id).substring(3, 5), 16);
    } catch (IndexOutOfBoundsException | NumberFormatException e) {
      return '?';
    }
  }
}
