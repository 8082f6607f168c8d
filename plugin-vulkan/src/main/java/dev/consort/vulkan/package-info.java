// SPDX-License-Identifier: Apache-2.0
/** Devices that a Vulkan driver offers, through LWJGL. */
@NullMarked
package dev.consort.vulkan;

import org.jspecify.annotations.NullMarked;
