// SPDX-License-Identifier: Apache-2.0
/**
 * Model architectures as graph builders, each a short file over a shared library of blocks. Every
 * weight and cache declares how it may be split over the members of a meta device.
 */
@NullMarked
package dev.consort.model.arch;

import org.jspecify.annotations.NullMarked;
