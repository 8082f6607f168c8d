// SPDX-License-Identifier: Apache-2.0
package dev.consort.model;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.Graph;
import dev.consort.model.arch.Architecture;
import dev.consort.model.arch.Architectures;
import dev.consort.model.arch.Blocks;
import dev.consort.model.arch.GraphSize;
import dev.consort.model.arch.Hyperparameters;
import dev.consort.model.gguf.GgufFile;
import dev.consort.model.tokenizer.Tokenizer;
import dev.consort.model.tokenizer.Tokenizers;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An open language model: what its file says, and the graphs made of it. Thread safe. Weights are
 * read from the mapped file; {@link #close} unmaps it.
 */
public final class Model implements AutoCloseable {
  private final GgufFile file;
  private final Architecture architecture;
  private final Hyperparameters parameters;
  private final TokenEmbedding embedding;
  private Optional<Tokenizer> tokenizer = Optional.empty();
  private boolean tokenizerRead;

  private Model(GgufFile file) {
    this.file = file;
    String name = file.metadata().string("general.architecture");
    this.architecture = Architectures.of(file.path().toString(), name);
    this.parameters = Hyperparameters.read(file, name);
    this.embedding = new TokenEmbedding(file.tensor("token_embd.weight"));
  }

  /**
   * Opens a model file.
   *
   * @throws dev.consort.api.ConsortException NOT_FOUND, IO, INVALID_FILE or UNSUPPORTED
   */
  public static Model open(Path path) {
    GgufFile file = GgufFile.open(path);
    try {
      return new Model(file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  public GgufFile file() {
    return file;
  }

  public Architecture architecture() {
    return architecture;
  }

  public Hyperparameters parameters() {
    return parameters;
  }

  public TokenEmbedding embedding() {
    return embedding;
  }

  /**
   * The model's tokenizer, read at the first call; empty if the file has none.
   *
   * @throws dev.consort.api.ConsortException UNSUPPORTED if its kind is not known here
   */
  public synchronized Optional<Tokenizer> tokenizer() {
    if (!tokenizerRead) {
      tokenizer = Tokenizers.read(file);
      tokenizer.ifPresent(this::requireFits);
      tokenizerRead = true;
    }
    return tokenizer;
  }

  private void requireFits(Tokenizer found) {
    if (found.size() > parameters.vocabulary()) {
      throw new ConsortException(
          ErrorCode.INVALID_FILE,
          "%s: the vocabulary has %d tokens, expected at most the embedding's %d; %s"
              .formatted(
                  file.path(), found.size(), parameters.vocabulary(), "convert the model again"));
    }
  }

  /** The model's graph; its inputs, states and output are described at {@link Blocks}. */
  public Graph graph(GraphSize size) {
    return Blocks.graph(architecture, file, parameters, size);
  }

  /** The bytes of a weight of the graph, by its tensor's name. */
  public MemorySegment weight(String name) {
    return file.tensor(name).data();
  }

  @Override
  public void close() {
    file.close();
  }
}
