// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.ErrorCode;
import dev.consort.api.ProcAddresses;
import dev.consort.host.Consort;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.run.EngineOptions;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import picocli.CommandLine.Mixin;

/** Options of the commands that run a model: the host's, the members, and the cache. */
final class RigOptions {
  /** The members where the user names none and no GPU is there. */
  static final String ONE_CPU = "cpu:0";

  @Mixin private MemberOptions members = new MemberOptions();

  @Mixin private CacheTypes cache = new CacheTypes();

  @Mixin private HostOptions host = new HostOptions();

  HostOptions host() {
    return host;
  }

  boolean isVerbose() {
    return host.isVerbose();
  }

  int microBatch() {
    return cache.microBatch();
  }

  /** The options given, over those that a command takes by default. */
  EngineOptions over(EngineOptions defaults) {
    return cache.over(defaults);
  }

  /** Opens a model on members whose shares are even without a word about them. */
  Rig even(Console console, Path model, int threads, EngineOptions defaults) {
    return Rig.open(
        console,
        host,
        model,
        consort -> threaded(members.device(consort, ONE_CPU), threads),
        over(defaults));
  }

  /** Opens a model on members whose shares follow from their speed without a word about them. */
  Rig measured(Console console, Path model, int threads, EngineOptions defaults) {
    return measured(console, model, ONE_CPU, threads, defaults);
  }

  /**
   * As above.
   *
   * @param otherwise the members where the user names none and no GPU is there
   */
  Rig measured(Console console, Path model, String otherwise, int threads, EngineOptions defaults) {
    return Rig.open(
        console,
        host,
        model,
        consort -> measured(consort, model, otherwise, threads),
        over(defaults));
  }

  /** Members whose shares follow from their speed without a word about them. */
  MetaDevice measured(Consort consort, Path model, int threads) {
    return measured(consort, model, ONE_CPU, threads);
  }

  private MetaDevice measured(Consort consort, Path model, String otherwise, int threads) {
    return threaded(members.device(consort, otherwise, model.toFile().length()), threads);
  }

  /** Tells every device that can be told how many of the host's threads it may use. */
  private static MetaDevice threaded(MetaDevice device, int threads) {
    if (threads < 0) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT, "%d threads can't be used".formatted(threads));
    }
    if (threads > 0) {
      for (Device member : new LinkedHashSet<>(device.members())) {
        member.find(ProcAddresses.SET_N_THREADS).ifPresent(each -> each.setThreads(threads));
      }
    }
    return device;
  }
}
