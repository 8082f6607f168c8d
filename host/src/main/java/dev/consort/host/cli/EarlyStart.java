// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.host.Consort;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Starts the plugins while the command line is still being parsed: both take about a hundred
 * milliseconds. Only where the arguments can't change what is started.
 */
final class EarlyStart {
  private static final List<String> COMMANDS = List.of("devices", "plugins", "run");
  private static final List<String> CHANGES =
      List.of("--plugins", "--bundles", "--set", "-h", "--help");

  private static final AtomicReference<@Nullable CompletableFuture<Consort>> STARTING =
      new AtomicReference<>();

  private EarlyStart() {}

  static void begin(String... args) {
    boolean plain =
        args.length > 0
            && COMMANDS.contains(args[0])
            && !isSubcommand(args)
            && Arrays.stream(args).noneMatch(arg -> CHANGES.contains(arg.split("=", 2)[0]));
    if (plain) {
      CompletableFuture<Consort> starting = new CompletableFuture<>();
      STARTING.set(starting);
      Thread.ofPlatform()
          .daemon()
          .name("consort-start")
          .start(
              () -> {
                try {
                  starting.complete(Consort.open());
                } catch (Throwable e) {
                  starting.completeExceptionally(e);
                }
              });
    }
  }

  private static boolean isSubcommand(String... args) {
    return args[0].equals("plugins") && args.length > 1 && !args[1].startsWith("-");
  }

  /**
   * Closes the host if nobody took it, as after a wrong option: some drivers crash a process that
   * ends with their devices open.
   */
  static void end() {
    try {
      take().ifPresent(Consort::close);
    } catch (RuntimeException e) {
      // Whoever wanted the host would have been told.
    }
  }

  /** The host that was started early, once; the caller owns it. */
  static Optional<Consort> take() {
    CompletableFuture<Consort> starting = STARTING.getAndSet(null);
    if (starting == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(starting.join());
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException known ? known : e;
    }
  }
}
