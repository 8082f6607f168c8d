// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.DataType;
import dev.consort.api.Shape;
import dev.consort.api.Strides;
import dev.consort.api.Tensor;

/** A tensor at an address. */
record View(long address, DataType type, Shape shape, Strides strides) {
  static View of(Tensor tensor, long address) {
    return new View(address, tensor.type(), tensor.shape(), tensor.strides());
  }

  static View contiguous(long address, DataType type, Shape shape) {
    return new View(address, type, shape, Strides.contiguous(type, shape));
  }

  boolean isContiguous() {
    return strides.equals(Strides.contiguous(type, shape));
  }

  /** All rows as one run of columns; for contiguous views. */
  View flat() {
    return contiguous(address, type, Shape.of(shape.ne0(), shape.rows()));
  }

  /** The address behind the last byte. */
  long end() {
    if (shape.isEmpty()) {
      return address;
    }
    long blocks = shape.ne0() / type.blockElements();
    return address
        + (blocks - 1) * strides.nb0()
        + (shape.ne1() - 1) * strides.nb1()
        + (shape.ne2() - 1) * strides.nb2()
        + (shape.ne3() - 1) * strides.nb3()
        + type.blockBytes();
  }
}
