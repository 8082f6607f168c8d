// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.chat;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.host.run.Sequence;
import dev.consort.model.sampling.SamplerChain;
import dev.consort.model.tokenizer.TokenDecoder;
import dev.consort.model.tokenizer.Tokenizer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Turns of a person and a model, in one sequence: what is in its cache already is not read again.
 * Not thread safe.
 */
public final class Conversation {
  private final Sequence sequence;
  private final Tokenizer tokenizer;
  private final ChatTemplate template;
  private final SamplerChain sampler;
  private final int context;
  private final List<Message> messages = new ArrayList<>();

  /**
   * What a turn took, in tokens.
   *
   * @param kept that were in the cache
   * @param read that were not
   * @param said that the model added
   */
  public record Turn(int kept, int read, int said) {}

  /**
   * @param context the most tokens of the sequence
   */
  public Conversation(
      Sequence sequence,
      Tokenizer tokenizer,
      ChatTemplate template,
      SamplerChain sampler,
      int context) {
    this.sequence = sequence;
    this.tokenizer = tokenizer;
    this.template = template;
    this.sampler = sampler;
    this.context = context;
  }

  /** What was said so far. */
  public List<Message> messages() {
    return List.copyOf(messages);
  }

  public void add(Message message) {
    messages.add(message);
  }

  /** Forgets everything. */
  public void clear() {
    messages.clear();
    sequence.truncate(0);
  }

  /**
   * Says something and streams the answer; both become part of the conversation. If it throws, the
   * conversation is as before.
   *
   * @param most tokens of the answer; negative for what the context holds
   * @throws ConsortException OUT_OF_MEMORY if the conversation no longer fits the context,
   *     UNSUPPORTED if the template does not take it
   */
  public Turn say(String text, int most, Consumer<String> answer) {
    int before = messages.size();
    messages.add(new Message(Message.USER, text));
    try {
      return answer(most, answer);
    } catch (RuntimeException | Error e) {
      messages.subList(before, messages.size()).clear();
      throw e;
    }
  }

  private Turn answer(int most, Consumer<String> answer) {
    int[] ids = encode(template.render(messages));
    if (ids.length >= context) {
      throw new ConsortException(
          ErrorCode.OUT_OF_MEMORY,
          "the conversation has %d tokens, the context %d; /clear starts anew, or start with a larger"
                  .formatted(ids.length, context)
              + " context (-c)");
    }
    int kept = sequence.reuse(ids);
    MemorySegment logits = sequence.append(Arrays.copyOfRange(ids, kept, ids.length));
    TokenDecoder decoder = tokenizer.decoder();
    StringBuilder said = new StringBuilder();
    int room = context - ids.length;
    int limit = most < 0 ? room : Math.min(most, room);
    int count = 0;
    while (count < limit) {
      int token = sampler.sample(logits, 0);
      if (tokenizer.isEnd(token)) {
        break;
      }
      tell(decoder.append(token), said, answer);
      count++;
      logits = sequence.append(token);
    }
    tell(decoder.finish(), said, answer);
    messages.add(new Message(Message.ASSISTANT, said.toString()));
    return new Turn(kept, ids.length - kept, count);
  }

  private static void tell(String piece, StringBuilder said, Consumer<String> answer) {
    if (!piece.isEmpty()) {
      said.append(piece);
      answer.accept(piece);
    }
  }

  /** With the token in front that the tokenizer wants, unless the template has put it there. */
  private int[] encode(String text) {
    int[] ids = tokenizer.encode(text, Tokenizer.Extra.PARSE_SPECIAL);
    int[] empty = tokenizer.encode("", Tokenizer.Extra.ADD_SPECIAL);
    int begin = tokenizer.begin().orElse(-1);
    boolean wanted = empty.length > 0 && empty[0] == begin;
    if (!wanted || ids.length > 0 && ids[0] == begin) {
      return ids;
    }
    int[] all = new int[ids.length + 1];
    all[0] = begin;
    System.arraycopy(ids, 0, all, 1, ids.length);
    return all;
  }
}
