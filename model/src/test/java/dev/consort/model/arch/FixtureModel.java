// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.DataType;
import dev.consort.api.Graph;
import dev.consort.model.Model;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** A small model beside the logits that it should give for a fixed row of tokens. */
record FixtureModel(Path model, Path logits) {
  static final int TOKENS = 40;
  private static final int CELLS = 64;

  /** The error of this model's graph, run in pieces of the given size, against the truth. */
  double error(int piece) {
    try (Model opened = Model.open(model)) {
      int vocabulary = opened.parameters().vocabulary();
      var interpreter = new Interpreter(opened::weight);
      float[] found = new float[TOKENS * vocabulary];
      float[] cells = new float[2 * CELLS];
      for (int first = 0; first < TOKENS; first += piece) {
        int count = Math.min(piece, TOKENS - first);
        var size = new GraphSize(count, count, CELLS, CELLS, DataType.F32, DataType.F32);
        Graph graph = opened.graph(size);
        float[] rows = interpreter.run(graph, inputs(opened, first, count, cells));
        System.arraycopy(rows, 0, found, first * vocabulary, rows.length);
      }
      return nmse(found, truth(found.length));
    }
  }

  static int token(int index, int vocabulary) {
    return (31 * index * index + 17 * index + 7) % vocabulary;
  }

  private static Map<String, float[]> inputs(Model model, int first, int count, float[] cells) {
    int width = model.embedding().width();
    float[] embeddings = new float[width * count];
    float[] positions = new float[count];
    float[] queries = new float[2 * count];
    float[] outputs = new float[count];
    for (int i = 0; i < count; i++) {
      int position = first + i;
      int token = token(position, model.parameters().vocabulary());
      model.embedding().row(token, MemorySegment.ofArray(embeddings), 4L * width * i);
      positions[i] = position;
      queries[2 * i] = position;
      queries[2 * i + 1] = 1;
      cells[2 * position] = position;
      cells[2 * position + 1] = 1;
      outputs[i] = i;
    }
    Map<String, float[]> inputs = new HashMap<>();
    inputs.put(Blocks.EMBEDDINGS, embeddings);
    inputs.put(Blocks.POSITIONS, positions);
    inputs.put(Blocks.SLOTS, positions);
    inputs.put(Blocks.QUERIES, queries);
    inputs.put(Blocks.CELLS, cells);
    inputs.put(Blocks.LIVE, new float[] {first + count});
    inputs.put(Blocks.OUTPUTS, outputs);
    model
        .parameters()
        .temperature()
        .ifPresent(t -> inputs.put(Blocks.TEMPERATURES, temperatures(t, positions)));
    return inputs;
  }

  private static float[] temperatures(Temperature temperature, float[] positions) {
    float[] factors = new float[positions.length];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = temperature.at((int) positions[i]);
    }
    return factors;
  }

  private float[] truth(int length) {
    try {
      float[] values = new float[length];
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(logits));
      bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
      return values;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static double nmse(float[] found, float[] expected) {
    double error = 0;
    double square = 0;
    for (int i = 0; i < found.length; i++) {
      error += Math.pow((double) found[i] - expected[i], 2);
      square += Math.pow(expected[i], 2);
    }
    return error / square;
  }

  @Override
  public String toString() {
    return model.getFileName().toString();
  }
}
