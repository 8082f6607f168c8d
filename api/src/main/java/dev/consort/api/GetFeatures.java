// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.Map;

/** {@code get_features}: what a device can do, for people to read. */
@Stable(since = "1.0")
public interface GetFeatures {
  /** Feature to value, in display order. */
  Map<String, String> features();
}
