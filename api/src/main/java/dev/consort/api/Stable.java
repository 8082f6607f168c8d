// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A type, with the types nested in it, that plugins may rely on: it changes incompatibly only with
 * a new major version of the SPI. The build compares it with the last release.
 */
@Stable(since = "1.0")
@Documented
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.TYPE)
public @interface Stable {
  /** The version of the SPI that first had the type. */
  String since();
}
