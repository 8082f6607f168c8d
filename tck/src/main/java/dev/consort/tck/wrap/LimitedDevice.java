// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.wrap;

import dev.consort.api.Device;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import java.util.function.Predicate;

/** A device that refuses some operations, so that the host lowers or places them elsewhere. */
public final class LimitedDevice extends DelegatingDevice {
  private final Predicate<Tensor> refused;
  private final String reason;

  public LimitedDevice(Device delegate, Predicate<Tensor> refused, String reason) {
    super(delegate);
    this.refused = refused;
    this.reason = reason;
  }

  @Override
  public Support supports(Tensor node) {
    return refused.test(node) ? Support.no(reason) : super.supports(node);
  }
}
