// SPDX-License-Identifier: Apache-2.0
package dev.consort.spi;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.DeviceInfo;
import dev.consort.api.ErrorCode;
import dev.consort.api.ProcAddress;
import dev.consort.api.Stable;
import java.util.Optional;

/** What devices have in common: their info, capabilities and {@link Poison}. Thread safe. */
@Stable(since = "1.0")
public abstract class BaseDevice implements Device {
  private final DeviceInfo info;
  private final Poison poison = new Poison(this);
  private final Capabilities capabilities = new Capabilities();

  protected BaseDevice(DeviceInfo info) {
    this.info = info;
  }

  @Override
  public final DeviceInfo info() {
    return info;
  }

  /** Offers a capability; only while the device is made. */
  protected final <T> void offer(ProcAddress<T> address, T implementation) {
    capabilities.put(address, implementation);
  }

  @Override
  public final <T> Optional<T> find(ProcAddress<T> address) {
    return capabilities.find(address);
  }

  /** The device's first failure, after which everything is refused. */
  public final Poison poison() {
    return poison;
  }

  /** An error that names this device. */
  public final ConsortException error(ErrorCode code, String operation, String message) {
    return ConsortException.of(code, message).device(this).operation(operation).build();
  }

  @Override
  public String toString() {
    return info.id();
  }
}
