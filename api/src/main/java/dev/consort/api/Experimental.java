// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A type, with the types nested in it, that is still being tried: it may change incompatibly with a
 * new minor version of the SPI. A plugin that uses it is compiled again then.
 */
@Stable(since = "1.0")
@Documented
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.TYPE)
public @interface Experimental {
  /** The version of the SPI that first had the type. */
  String since();
}
