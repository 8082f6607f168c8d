// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * This process's own directory below the cache, for files that no other process shares. Only its
 * owner may read it. It is deleted when the process ends; what a process that was killed left
 * behind is deleted by the next one, which knows it by its lock file.
 */
final class SessionDirectory {
  private static final String RUNS = "run";
  private static final String LOCK = "lock";

  private static final AtomicInteger NUMBER = new AtomicInteger();

  private SessionDirectory() {}

  /** A name in the directory that nothing else of this process has. */
  static Path unused(String name) {
    return Holder.DIRECTORY.resolve(NUMBER.incrementAndGet() + "-" + name);
  }

  /** Deletes a file or folder; what can't be deleted goes when the process ends. */
  static void delete(Path path) {
    try (Stream<Path> files = Files.walk(path)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException | UncheckedIOException e) {
      // A library that is mapped can't be deleted on every platform.
    }
  }

  private static final class Holder {
    static final Path DIRECTORY = make();

    private static Path make() {
      Path runs = UserDirectories.privateDirectory(RUNS);
      deleteAbandoned(runs);
      try {
        Path own = Files.createTempDirectory(runs, ProcessHandle.current().pid() + "-");
        FileChannel channel =
            FileChannel.open(
                own.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held = channel.lock();
        Runtime.getRuntime()
            .addShutdownHook(
                new Thread(
                    () -> {
                      release(held);
                      delete(own);
                    },
                    "consort-session"));
        return own;
      } catch (IOException e) {
        throw new ConsortException(
            ErrorCode.IO,
            "no private directory for plugins can be made in %s: %s; set CONSORT_CACHE to a folder that can be written"
                .formatted(runs, e),
            e);
      }
    }

    private static void release(FileLock lock) {
      try (FileChannel channel = lock.acquiredBy() instanceof FileChannel c ? c : null) {
        lock.release();
      } catch (IOException e) {
        // The process ends now, which releases it.
      }
    }

    private static void deleteAbandoned(Path runs) {
      try (Stream<Path> found = Files.list(runs)) {
        List<Path> all = found.filter(Files::isDirectory).toList();
        for (Path run : all) {
          if (isAbandoned(run)) {
            delete(run);
          }
        }
      } catch (IOException | UncheckedIOException e) {
        // They cost nothing but room; a later start tries again.
      }
    }

    private static boolean isAbandoned(Path run) throws IOException {
      Path lock = run.resolve(LOCK);
      if (!Files.exists(lock)) {
        return false;
      }
      try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE);
          FileLock free = channel.tryLock()) {
        return free != null;
      } catch (java.nio.channels.OverlappingFileLockException e) {
        return false;
      }
    }
  }
}
