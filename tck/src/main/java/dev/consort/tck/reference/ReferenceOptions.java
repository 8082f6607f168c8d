// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.reference;

import java.time.Duration;

/**
 * What a reference device is like.
 *
 * @param plugin the plugin that it claims to be of; devices of different ones know nothing of each
 *     other's events, comms and copies
 * @param index its number within the plugin
 * @param memoryBytes all its memory
 * @param maxBufferBytes the largest buffer
 * @param alignment of tensors, a power of two
 * @param patience how long a collective waits for a member, and closing for pending work
 * @param adversary what it does to those who rely on too much
 */
public record ReferenceOptions(
    String plugin,
    int index,
    long memoryBytes,
    long maxBufferBytes,
    long alignment,
    Duration patience,
    Adversary adversary) {

  /** A gigabyte, 64-byte alignment, nothing out of the ordinary. */
  public static ReferenceOptions of(int index) {
    return new ReferenceOptions(
        ReferenceProvider.NAME,
        index,
        1L << 30,
        1L << 30,
        64,
        Duration.ofSeconds(10),
        Adversary.none());
  }

  public ReferenceOptions adversary(Adversary other) {
    return new ReferenceOptions(
        plugin, index, memoryBytes, maxBufferBytes, alignment, patience, other);
  }

  public ReferenceOptions memory(long bytes, long largestBuffer) {
    return new ReferenceOptions(
        plugin, index, bytes, largestBuffer, alignment, patience, adversary);
  }

  public ReferenceOptions alignment(long bytes) {
    return new ReferenceOptions(
        plugin, index, memoryBytes, maxBufferBytes, bytes, patience, adversary);
  }

  public ReferenceOptions plugin(String name) {
    return new ReferenceOptions(
        name, index, memoryBytes, maxBufferBytes, alignment, patience, adversary);
  }

  public ReferenceOptions patience(Duration time) {
    return new ReferenceOptions(
        plugin, index, memoryBytes, maxBufferBytes, alignment, time, adversary);
  }
}
