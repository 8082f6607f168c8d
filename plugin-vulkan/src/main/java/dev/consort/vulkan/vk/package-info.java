// SPDX-License-Identifier: Apache-2.0
/** The Vulkan API as the plugin needs it: instance, adapters, logical devices, pipelines. */
@NullMarked
package dev.consort.vulkan.vk;

import org.jspecify.annotations.NullMarked;
