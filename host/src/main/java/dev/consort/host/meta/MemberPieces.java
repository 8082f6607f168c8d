// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Storage;
import java.util.Optional;

/** Where the pieces of tensors lie that a meta device's buffer types placed. */
public final class MemberPieces {
  private MemberPieces() {}

  /** Bytes that a member of the device holds of a tensor, be it split or not. */
  public static long bytes(MetaDevice device, Storage storage, int member) {
    if (!(storage.buffer() instanceof MetaBuffer)) {
      return device.bare().isPresent() && member == 0 ? storage.tensor().bytes() : 0;
    }
    return of(storage, member).map(part -> part.tensor().bytes()).orElse(0L);
  }

  /** Where a member keeps its piece of a tensor that lies on a meta device; nothing if nowhere. */
  public static Optional<Storage> of(Storage storage, int member) {
    return storage.buffer() instanceof MetaBuffer buffer
        ? Optional.ofNullable(buffer.parts(storage).storages()[member])
        : Optional.empty();
  }

  /** Whether every member of a meta device holds all of the tensor. */
  public static boolean isMirrored(Storage storage) {
    return storage.buffer() instanceof MetaBuffer buffer && buffer.state().isMirrored();
  }
}
