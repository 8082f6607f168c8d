// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.wrap;

import dev.consort.api.Device;
import dev.consort.api.ProcAddress;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A device without some of its capabilities, so that the host takes its fallbacks. */
public final class HidingDevice extends DelegatingDevice {
  private final Set<String> hidden;

  /** Hides these. */
  public HidingDevice(Device delegate, ProcAddress<?>... hidden) {
    this(delegate, Stream.of(hidden).map(ProcAddress::name).collect(Collectors.toSet()));
  }

  /** Hides the capabilities of these names. */
  public HidingDevice(Device delegate, Set<String> hidden) {
    super(delegate);
    this.hidden = Set.copyOf(hidden);
  }

  @Override
  public <T> Optional<T> find(ProcAddress<T> address) {
    return hidden.contains(address.name()) ? Optional.empty() : super.find(address);
  }
}
