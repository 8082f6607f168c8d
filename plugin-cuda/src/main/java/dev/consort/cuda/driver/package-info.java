// SPDX-License-Identifier: Apache-2.0
/** The CUDA driver: JCuda's bindings, and by FFM what JCuda lacks. */
@NullMarked
package dev.consort.cuda.driver;

import org.jspecify.annotations.NullMarked;
