// SPDX-License-Identifier: Apache-2.0
package dev.consort.spi;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import dev.consort.api.ProcAddress;
import dev.consort.api.Stable;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A device's proc addresses, filled while the device is made and then only read. */
@Stable(since = "1.0")
public final class Capabilities {
  private record Key(String name, int version) {}

  private final Map<Key, Object> entries = new LinkedHashMap<>();

  /** Offers a capability. */
  public <T> Capabilities put(ProcAddress<T> address, T implementation) {
    entries.put(new Key(address.name(), address.version()), implementation);
    return this;
  }

  /** What was offered under the address's name and version. */
  public <T> Optional<T> find(ProcAddress<T> address) {
    Object found = entries.get(new Key(address.name(), address.version()));
    if (found == null) {
      return Optional.empty();
    }
    if (!address.type().isInstance(found)) {
      throw new ConsortException(
          ErrorCode.PLUGIN_FAILED,
          "%s is a %s, which is no %s as loaded by %s; a plugin must not bring its own copy of a shared interface"
              .formatted(
                  address,
                  found.getClass().getName(),
                  address.type().getName(),
                  address.type().getClassLoader()));
    }
    return Optional.of(address.type().cast(found));
  }
}
