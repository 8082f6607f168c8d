// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.broken;

import dev.consort.api.Buffer;
import dev.consort.api.BufferType;
import dev.consort.api.Device;
import dev.consort.api.Tensor;

/** Another's buffer type with one thing wrong; its buffers are that one's own. */
record BrokenBufferType(BufferType sound, Defect defect) implements BufferType {
  @Override
  public String name() {
    return sound.name();
  }

  @Override
  public Device device() {
    return sound.device();
  }

  @Override
  public long alignment() {
    return defect == Defect.ODD_ALIGNMENT ? 48 : sound.alignment();
  }

  @Override
  public long maxBytes() {
    return sound.maxBytes();
  }

  @Override
  public boolean repacks() {
    return sound.repacks();
  }

  @Override
  public long bytes(Tensor tensor) {
    return sound.bytes(tensor);
  }

  @Override
  public Buffer allocate(long bytes) {
    if (defect == Defect.LEAKS_MEMORY) {
      sound.allocate(bytes);
    }
    return sound.allocate(bytes);
  }
}
