// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.List;
import java.util.Optional;

/** {@code comm_init}: a group of backends of one plugin that reduces natively. */
@Experimental(since = "1.0")
public interface CommInit {
  /**
   * A comm over the members in this order, or nothing if these can't form one. May block.
   *
   * @throws ConsortException DEVICE_FAILED
   */
  Optional<Comm> init(List<Backend> members, WirePolicy wire);
}
