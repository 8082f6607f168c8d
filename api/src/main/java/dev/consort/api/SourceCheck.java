// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.List;

/** The questions that {@link Inference} asks of an operation's sources. */
final class SourceCheck {
  private final Operation operation;
  private final List<Tensor> sources;

  SourceCheck(Operation operation, List<Tensor> sources) {
    this.operation = operation;
    this.sources = sources;
  }

  int size() {
    return sources.size();
  }

  Tensor source(int index) {
    return sources.get(index);
  }

  SourceCheck count(int least, int most) {
    require(
        sources.size() >= least && sources.size() <= most,
        "found %d sources, expected %d to %d",
        sources.size(),
        least,
        most);
    return this;
  }

  SourceCheck floats(int index) {
    return type(index, DataType.F32);
  }

  SourceCheck indices(int index) {
    return type(index, DataType.I32);
  }

  SourceCheck sameShape(int a, int b) {
    require(
        source(a).shape().equals(source(b).shape()),
        "%s and %s differ in shape",
        source(a),
        source(b));
    return this;
  }

  void require(boolean holds, String message, Object... arguments) {
    if (!holds) {
      throw ConsortException.of(ErrorCode.INVALID_ARGUMENT, message.formatted(arguments))
          .operation(operation.label())
          .build();
    }
  }

  private SourceCheck type(int index, DataType type) {
    require(
        source(index).type() == type,
        "source %d is %s, expected %s",
        index,
        source(index),
        type.label());
    return this;
  }
}
