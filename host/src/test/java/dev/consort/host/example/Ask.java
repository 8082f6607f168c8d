// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.example;

import dev.consort.host.Consort;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.run.Engine;
import dev.consort.host.run.EngineOptions;
import dev.consort.host.run.Sequence;
import dev.consort.model.Model;
import dev.consort.model.sampling.SamplerChain;
import dev.consort.model.sampling.SamplingOptions;
import dev.consort.model.tokenizer.Tokenizer;
import java.nio.file.Path;

/** Continues a text on any mix of devices. */
final class Ask {
  static String answer(Path file, String devices, String prompt) {
    StringBuilder answer = new StringBuilder();
    try (Consort consort = Consort.open();
        Model model = Model.open(file);
        Engine engine =
            Engine.open(model, MetaDevice.even(consort.select(devices)), EngineOptions.defaults());
        Sequence sequence = engine.sequence()) {
      Tokenizer tokenizer = model.tokenizer().orElseThrow();
      SamplerChain sampler = SamplerChain.of(SamplingOptions.greedy(), engine.vocabulary());
      int[] tokens = tokenizer.encode(prompt, Tokenizer.Extra.ADD_SPECIAL);
      int token = sampler.sample(sequence.append(tokens), 0);
      while (!tokenizer.isEnd(token)) {
        answer.append(tokenizer.decode(token));
        token = sampler.sample(sequence.append(token), 0);
      }
    }
    return answer.toString();
  }
}
