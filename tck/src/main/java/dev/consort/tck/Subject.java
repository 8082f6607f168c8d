// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.api.Device;
import java.util.Collections;
import java.util.List;

/** What is tested. */
public interface Subject extends AutoCloseable {
  /** The device that operations, buffers and streams are tested on. */
  Device device();

  /** What must work. */
  Declaration declaration();

  /** The devices of a comm's members; by default the device itself, several times. */
  default List<Device> members(int count) {
    return Collections.nCopies(count, device());
  }

  /** Releases what was opened for the tests. */
  @Override
  default void close() {}

  /** A device that is not closed. */
  static Subject of(Device device, Declaration declaration) {
    return new Subject() {
      @Override
      public Device device() {
        return device;
      }

      @Override
      public Declaration declaration() {
        return declaration;
      }
    };
  }
}
