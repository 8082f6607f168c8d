// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.quantize;

import dev.consort.api.DataType;
import dev.consort.api.Shape;
import java.util.List;

/** What was made of each tensor, in the file's order. */
public record QuantizeReport(List<Change> tensors) {

  /** One tensor. */
  public record Change(String name, Shape shape, DataType from, DataType to) {
    public long bytesBefore() {
      return from.bytes(shape.ne0()) * shape.rows();
    }

    public long bytesAfter() {
      return to.bytes(shape.ne0()) * shape.rows();
    }
  }

  public QuantizeReport {
    tensors = List.copyOf(tensors);
  }

  public long bytesBefore() {
    return tensors.stream().mapToLong(Change::bytesBefore).sum();
  }

  public long bytesAfter() {
    return tensors.stream().mapToLong(Change::bytesAfter).sum();
  }
}
