// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda.driver;

/**
 * One launch of a kernel.
 *
 * @param function as {@link Modules#function} gives it
 * @param threads of a block
 * @param arguments the one structure that the kernel takes by value
 */
public record Launch(
    long function, int x, int y, int z, int threads, int sharedBytes, byte[] arguments) {}
