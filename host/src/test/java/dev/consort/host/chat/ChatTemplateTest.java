// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.host.demo.DemoModel;
import dev.consort.model.Model;
import dev.consort.model.tokenizer.Tokenizer;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatTemplateTest {
  private static final Model MODEL = Model.open(DemoModel.file());
  private static final Tokenizer TOKENIZER = MODEL.tokenizer().orElseThrow();
  private static final List<Message> TALK =
      List.of(
          new Message(Message.SYSTEM, "Be brief."),
          new Message(Message.USER, "Hi {{ 1 + 1 }}"),
          new Message(Message.ASSISTANT, "<think>so</think>Hello"),
          new Message(Message.USER, " Why? "));

  @AfterAll
  static void close() {
    MODEL.close();
  }

  @Test
  void rolesTurnIntoMarkersAndContentIsNeverRun() {
    String template =
        """
        {%- for message in messages %}
            {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}
        {%- endfor %}
        {%- if add_generation_prompt %}
            {{- '<|im_start|>assistant\\n' }}
        {%- endif %}
        """;
    assertThat(render(template))
        .isEqualTo(
            """
            <|im_start|>system
            Be brief.<|im_end|>
            <|im_start|>user
            Hi {{ 1 + 1 }}<|im_end|>
            <|im_start|>assistant
            <think>so</think>Hello<|im_end|>
            <|im_start|>user
             Why? <|im_end|>
            <|im_start|>assistant
            """);
  }

  @Test
  void blocksTakeNoLinesAndSpecialTokensHaveNames() {
    String template =
        """
        {{ bos_token }}
        {% if messages[0].role == 'system' %}
        [{{ messages[0].content | trim }}]
          {% set loop_messages = messages[1:] %}
        {% endif %}
        {% for m in loop_messages %}
        {{ m.role | upper }}: {{ m.content | trim }}{{ eos_token if not loop.last }}
        {% endfor %}
        A:\
        """;
    assertThat(render(template))
        .isEqualTo(
            """
            <s>
            [Be brief.]
            USER: Hi {{ 1 + 1 }}</s>
            ASSISTANT: <think>so</think>Hello</s>
            USER: Why?
            A:\
            """);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      value = {
        "{% for m in messages[::-1] %}{{ m.role[0] }}{% endfor %} ~ uaus",
        "{% if not tools is defined %}a{% endif %}{% if tools is not defined %}b{% endif %} ~ ab",
        "{% if not 'x' in messages[0].content %}no{% endif %} ~ no",
        "{% set n = -1 %}{% if not n == -1 %}a{% elif not n != -1 %}b{% endif %} ~ b",
        "{% set ns = namespace(n=messages|length - 1, s='a,b=c') %}{{ ns.n }}{{ ns.s }} ~ 3a,b=c",
        "{% set ns = namespace(n=[1, 2] + [3], s=not false) %}{{ ns.n[2] }}{{ ns.s }} ~ 3true",
        "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}"
            + "{{ ns.n }} ~ 4",
        "{{ messages[2].content.split('</think>')[-1].lstrip('\\n') }} ~ Hello",
        "{{ messages[0].content.startswith('Be') }}{{ messages[0].content.endswith('x') }} ~"
            + " truefalse",
        "{{ messages[3].content.strip() }}{{ 'xxaxx'.rstrip('x') }}{{ '  b'.lstrip() }} ~ Why?xxab",
        "{% if strftime_now is defined %}{{ strftime_now('%Y')[0:2] }}{% endif %} ~ 20",
        "{{ messages[0].get('name', 'none') }} ~ none",
        "{% macro f(x) %}<{{ x }}>{% endmacro %}{{ f('a') }}{{ f('b') }} ~ <a><b>",
      })
  void whatTemplatesOfTheDayUseIsUnderstood(String template, String expected) {
    String text = render(template + "#{{ messages[-1].content }}");
    assertThat(text.split("#")[0]).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{{ raise_exception('System role not supported') }} | line 1: System role not supported",
        "{% for m in messages %}{{ m.content }} | endfor",
        "{{ messages[0].content.frobnicate() }} | frobnicate",
        "{{ unknown_function(1) }} | unknown_function",
        "{% frobnicate %}{{ messages[-1].content }} | frobnicate",
        "{{ strftime_now('%Q') }} | %Q",
        "nothing of it | what was said last",
        "{{ messages[-1].content }}{% if add_generation_prompt and false %}A{% endif %} | the word",
      })
  void aTemplateThatCannotBeFollowedIsNamedAndNeverGuessed(String template, String reason) {
    assertThatThrownBy(() -> render(template))
        .hasMessageStartingWith("test.jinja can't be followed: ")
        .hasMessageContaining(reason);
  }

  @Test
  void aModelWithoutATemplateSaysSo() {
    assertThatThrownBy(() -> ChatTemplate.of(MODEL.file(), TOKENIZER))
        .hasMessageContainingAll("no chat template", "consort run");
  }

  private static String render(String template) {
    return new ChatTemplate("test.jinja", template, TOKENIZER).render(TALK);
  }
}
