// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

/**
 * What is measured.
 *
 * @param prompt tokens read
 * @param generated tokens generated one by one
 * @param depth tokens in the cache before
 * @param turns how often that happens in one conversation
 */
record BenchTest(int prompt, int generated, int depth, int turns) {
  /** Cells that it needs. */
  int tokens() {
    return depth + (prompt + generated) * turns;
  }

  /** llama-bench's name for it. */
  String label() {
    String name =
        prompt > 0 && generated > 0
            ? "pp" + prompt + "+tg" + generated
            : prompt > 0 ? "pp" + prompt : "tg" + generated;
    return depth > 0 ? name + " @ d" + depth : name;
  }
}
