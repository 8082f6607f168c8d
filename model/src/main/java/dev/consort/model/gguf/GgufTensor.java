// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import dev.consort.api.DataType;
import dev.consort.api.Shape;
import java.lang.foreign.MemorySegment;

/**
 * A tensor in a file.
 *
 * @param data its bytes, mapped and read-only, valid as long as the file is open
 */
public record GgufTensor(String name, DataType type, Shape shape, MemorySegment data) {

  public long bytes() {
    return data.byteSize();
  }

  @Override
  public String toString() {
    return name + " " + type.label() + shape;
  }
}
