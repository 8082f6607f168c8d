// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Backend;
import dev.consort.api.CopyTensor;
import dev.consort.api.Device;
import dev.consort.api.Event;
import dev.consort.api.Storage;
import dev.consort.cuda.driver.CudaError;
import dev.consort.cuda.driver.DeviceBlock;
import dev.consort.cuda.driver.Gpu;
import dev.consort.cuda.driver.Stream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;

/** Copies within a device and over peer access; the target's stream carries them. */
final class CudaCopy implements CopyTensor {
  private static final int PROBE_BYTES = 1 << 20;

  private record Pair(Device from, Device to) {}

  private static final Map<Pair, Boolean> VERIFIED = new ConcurrentHashMap<>();

  @Override
  public boolean connects(Device from, Device to) {
    if (!(from instanceof CudaDevice source) || !(to instanceof CudaDevice target)) {
      return false;
    }
    return source == target
        || VERIFIED.computeIfAbsent(new Pair(source, target), pair -> verify(source, target));
  }

  /** Sends random bytes over and compares them. */
  private static boolean verify(CudaDevice from, CudaDevice to) {
    byte[] sent = new byte[PROBE_BYTES];
    new Random(1).nextBytes(sent);
    byte[] received = new byte[PROBE_BYTES];
    try {
      if (!to.gpu().reach(from.gpu()) || !from.gpu().reach(to.gpu())) {
        return false;
      }
      from.gpu().bind();
      try (DeviceBlock source = new DeviceBlock(PROBE_BYTES);
          Stream stream = new Stream()) {
        Staging.Block block = from.staging().forWrite(PROBE_BYTES);
        MemorySegment.copy(MemorySegment.ofArray(sent), 0, block.segment(), 0, PROBE_BYTES);
        Gpu.copy(source.address(), block.address(), PROBE_BYTES, stream);
        block.sent(stream);
        stream.synchronize();
        receive(to, source, received);
        from.gpu().bind();
      }
      return Arrays.equals(sent, received);
    } catch (CudaError e) {
      return false;
    }
  }

  private static void receive(CudaDevice to, DeviceBlock source, byte[] received) {
    to.gpu().bind();
    try (DeviceBlock target = new DeviceBlock(PROBE_BYTES);
        Stream stream = new Stream()) {
      Gpu.copy(target.address(), source.address(), PROBE_BYTES, stream);
      Staging.Block block = to.staging().forRead(PROBE_BYTES);
      Gpu.copy(block.address(), target.address(), PROBE_BYTES, stream);
      block.sent(stream);
      stream.synchronize();
      MemorySegment.copy(block.segment(), 0, MemorySegment.ofArray(received), 0, PROBE_BYTES);
    }
  }

  @Override
  public void copy(
      Backend fromBackend,
      Storage from,
      long fromOffset,
      Backend toBackend,
      Storage to,
      long toOffset,
      long bytes) {
    CudaBackend source = CudaTransfers.own(fromBackend);
    CudaBackend target = CudaTransfers.own(toBackend);
    if (source == target) {
      target.copy(from, fromOffset, to, toOffset, bytes);
      return;
    }
    long at = source.range("copy", from, fromOffset, bytes);
    long toAt = target.range("copy", to, toOffset, bytes);
    try (Event before = source.device().createEvent();
        Event after = target.device().createEvent()) {
      source.record(before);
      target.await(before);
      target.copy(at, toAt, bytes);
      target.record(after);
      source.await(after);
    }
  }
}
