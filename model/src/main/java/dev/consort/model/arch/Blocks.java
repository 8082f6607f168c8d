// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.arch;

import dev.consort.api.DataType;
import dev.consort.api.Graph;
import dev.consort.api.GraphBuilder;
import dev.consort.api.Operation;
import dev.consort.api.Operation.Rope;
import dev.consort.api.Shape;
import dev.consort.api.Shard;
import dev.consort.api.ShardGroup;
import dev.consort.api.Tensor;
import dev.consort.model.gguf.GgufFile;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What architectures are made of: inputs, embeddings, norms, layers, head. Builds one graph; not
 * thread safe.
 *
 * <p>Inputs, by name: {@code embeddings} F32 [embedding, T], the rows of the token embedding;
 * {@code positions} I32 [T]; {@code slots} I32 [T], the cache cell that each token is written to,
 * -1 for a padded row; {@code queries} I32 [2, T], position and sequence bits; {@code cells} I32
 * [2, S], the same of each cache cell; {@code live} I32 [1], how many cells are looked at; {@code
 * outputs} I32 [O], the rows that get logits; {@code temperatures} F32 [1, 1, T], only where the
 * model has a {@link Temperature}. States: {@code cache_k.N} and {@code cache_v.N} [length, kv
 * heads, S]. Output: {@code logits} F32 [vocabulary, O].
 */
public final class Blocks {
  public static final String EMBEDDINGS = "embeddings";
  public static final String POSITIONS = "positions";
  public static final String SLOTS = "slots";
  public static final String QUERIES = "queries";
  public static final String CELLS = "cells";
  public static final String LIVE = "live";
  public static final String OUTPUTS = "outputs";
  public static final String TEMPERATURES = "temperatures";
  public static final String LOGITS = "logits";
  private static final String OUTPUT = "output.weight";
  private static final String OUTPUT_BIAS = "output.bias";
  private static final String FACTORS = "rope_freqs.weight";
  private static final String LONG = "rope_factors_long.weight";
  private static final String SHORT = "rope_factors_short.weight";
  private static final int NO_LAYER = -1;

  private final GraphBuilder graph = new GraphBuilder();
  private final Hyperparameters parameters;
  private final Keys keys;
  private final GraphSize size;
  private final Weights weights;
  private boolean selected;

  private Blocks(GgufFile file, Hyperparameters parameters, GraphSize size) {
    this.parameters = parameters;
    this.keys = new Keys(file.metadata(), parameters.architecture());
    this.size = size;
    this.weights = new Weights(file, graph);
  }

  /**
   * The graph of a model for the given size.
   *
   * @throws dev.consort.api.ConsortException INVALID_FILE if weights are missing or misshapen,
   *     UNSUPPORTED if some are left over
   */
  public static Graph graph(
      Architecture architecture, GgufFile file, Hyperparameters parameters, GraphSize size) {
    var blocks = new Blocks(file, parameters, size);
    blocks.inputs();
    blocks.weights.ignore(Hyperparameters.EMBEDDING);
    blocks.graph.output(architecture.build(blocks));
    blocks.weights.requireAllUsed(architecture.name());
    return blocks.graph.build();
  }

  public Hyperparameters parameters() {
    return parameters;
  }

  /** The metadata under the architecture's prefix. */
  public Keys keys() {
    return keys;
  }

  GraphBuilder graph() {
    return graph;
  }

  GraphSize size() {
    return size;
  }

  Weights weights() {
    return weights;
  }

  /** F32 [embedding, T]. */
  public Tensor embeddings() {
    return input(EMBEDDINGS);
  }

  Tensor input(String name) {
    return graph.find(name).orElseThrow();
  }

  /** The layers in order; while one is iterated over, nodes belong to it. */
  public Iterable<Layer> layers() {
    return () -> IntStream.range(0, parameters.layers()).mapToObj(this::layer).iterator();
  }

  private Layer layer(int index) {
    graph.layer(index);
    return new Layer(this, index);
  }

  /** The position encoding as the metadata say. */
  public Rope rope(Rope.Mode mode) {
    return RopeReader.read(keys, parameters, mode);
  }

  /** Attention with that encoding, and the factors of its frequencies if the file has some. */
  public AttentionOptions attention(Rope.Mode mode) {
    Rope rope = rope(mode);
    float given = keys.real("attention.scale", 0);
    float scale = given == 0 ? (float) (1 / Math.sqrt(parameters.keyLength())) : given;
    return new AttentionOptions(Optional.of(rope), factors(rope), scale, 0, 0);
  }

  /** One set for all contexts, or one for those the model began with and one for longer ones. */
  private Optional<Tensor> factors(Rope rope) {
    boolean isLong = size.context() > rope.originalContext();
    String name = weights.has(FACTORS) ? FACTORS : isLong ? LONG : SHORT;
    List.of(FACTORS, LONG, SHORT).forEach(weights::ignore);
    return weights.has(name)
        ? Optional.of(weights.floats(name, Shape.of(rope.dims() / 2), Optional.empty(), NO_LAYER))
        : Optional.empty();
  }

  /** Whether a layer sees a window only: all do but the last of each period. */
  boolean isNear(Layer layer, int period) {
    int own = keys.count("attention.sliding_window_pattern", 1 << 20, period);
    return own == 0 || layer.index() % own < own - 1;
  }

  public Tensor add(Tensor a, Tensor b) {
    return graph.add(a, b);
  }

  public Tensor scale(Tensor x, float by) {
    return by == 1 ? x : graph.scale(x, by);
  }

  /** RMS norm with a weight. */
  Tensor norm(Tensor x, String name, int layer) {
    Tensor weight = weights.floats(name, Shape.of(x.ne(0)), Optional.empty(), layer);
    return graph.mul(graph.rmsNorm(x, parameters.epsilon()), weight);
  }

  /** Keeps the rows that get logits; later calls change nothing. */
  Tensor select(Tensor x) {
    if (selected) {
      return x;
    }
    selected = true;
    return graph.getRows(x, input(OUTPUTS));
  }

  /**
   * Final norm and output head, the token embedding serving as head where the file has no other.
   */
  public Tensor head(Tensor x) {
    return head(x, 1, 0);
  }

  /** A head whose logits are scaled, and capped as {@code cap * tanh(x / cap)} if cap is not 0. */
  public Tensor head(Tensor x, float scale, float cap) {
    graph.layer(NO_LAYER);
    Tensor normed = norm(select(x), "output_norm.weight", NO_LAYER);
    long rows = parameters.vocabulary();
    ShardGroup vocabulary = new ShardGroup("vocabulary", rows);
    Tensor weight =
        weights.split(
            weights.has(OUTPUT) ? OUTPUT : Hyperparameters.EMBEDDING,
            Shape.of(parameters.embedding(), rows),
            Shard.of(1, vocabulary, 1),
            NO_LAYER);
    boolean plain = cap == 0 && scale == 1;
    if (plain && !weights.has(OUTPUT_BIAS)) {
      return logits(new Operation.MatMul(), weight, normed);
    }
    Tensor y = graph.matMul(weight, normed);
    if (weights.has(OUTPUT_BIAS)) {
      Optional<Shard> shard = Optional.of(Shard.of(0, vocabulary, 1));
      Tensor bias = weights.floats(OUTPUT_BIAS, Shape.of(rows), shard, NO_LAYER);
      if (plain) {
        return logits(new Operation.Binary(Operation.Binary.Kind.ADD), y, bias);
      }
      y = graph.add(y, bias);
    }
    return cap == 0
        ? logits(new Operation.Scale(scale, 0), y)
        : logits(
            new Operation.Scale(cap, 0),
            graph.unary(Operation.Unary.Kind.TANH, graph.scale(y, scale / cap)));
  }

  private Tensor logits(Operation operation, Tensor... sources) {
    return graph.add(LOGITS, operation, List.of(sources));
  }

  private void inputs() {
    int tokens = size.tokens();
    graph.layer(NO_LAYER);
    graph.input(EMBEDDINGS, DataType.F32, Shape.of(parameters.embedding(), tokens));
    graph.input(POSITIONS, DataType.I32, Shape.of(tokens));
    graph.input(SLOTS, DataType.I32, Shape.of(tokens));
    graph.input(QUERIES, DataType.I32, Shape.of(2, tokens));
    graph.input(CELLS, DataType.I32, Shape.of(2, size.cells()));
    graph.input(LIVE, DataType.I32, Shape.of(1));
    graph.input(OUTPUTS, DataType.I32, Shape.of(size.outputs()));
    if (parameters.temperature().isPresent()) {
      graph.input(TEMPERATURES, DataType.F32, Shape.of(1, 1, tokens));
    }
  }
}
