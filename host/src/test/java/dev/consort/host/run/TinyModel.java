// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.run;

import dev.consort.model.Model;
import dev.consort.model.synth.Geometry;
import dev.consort.model.synth.Synthesizer;
import dev.consort.model.synth.WeightMix;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Models of random weights, small enough for the scalar reference. */
final class TinyModel {
  static final int VOCABULARY = 96;
  private static final Geometry DENSE = Geometry.dense(2, 64, 4, 2, 128, VOCABULARY);
  private static final Geometry EXPERTS = new Geometry(2, 64, 4, 2, 16, 64, VOCABULARY, 256, 4, 2);
  private static final Map<Geometry, Path> WRITTEN = new HashMap<>();

  private TinyModel() {}

  static Model dense() {
    return open(DENSE);
  }

  static Model experts() {
    return open(EXPERTS);
  }

  private static synchronized Model open(Geometry geometry) {
    return Model.open(WRITTEN.computeIfAbsent(geometry, TinyModel::write));
  }

  private static Path write(Geometry geometry) {
    try {
      Path file = Files.createTempDirectory("consort-tiny").resolve("model.gguf");
      file.toFile().deleteOnExit();
      file.getParent().toFile().deleteOnExit();
      new Synthesizer(geometry, WeightMix.F32, 5).write(file, 1, (done, total) -> {});
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
