// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/** Finds the kernels' shared library in the JAR and loads a private copy of it. */
final class NativeLibrary {
  private static volatile Path directory = Path.of(System.getProperty("java.io.tmpdir"));

  private NativeLibrary() {}

  /** Where the copy goes; to be said before the first use. */
  static void directory(Path path) {
    directory = path;
  }

  /** The resource's name on this system, if this build has one. */
  static Optional<String> resource() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT).replaceAll("[^a-z].*", "");
    String arch = System.getProperty("os.arch").replace("amd64", "x86_64");
    String name = "native/" + os + "-" + arch + "/libconsort_cpu.so";
    return NativeLibrary.class.getResource(name) == null ? Optional.empty() : Optional.of(name);
  }

  static SymbolLookup load() {
    String name =
        resource()
            .orElseThrow(
                () ->
                    new ConsortException(
                        ErrorCode.UNSUPPORTED,
                        "this build of the CPU plugin has no native kernels for "
                            + System.getProperty("os.name")
                            + " on "
                            + System.getProperty("os.arch")
                            + "; build it where a C compiler is, or use the portable path"));
    return SymbolLookup.libraryLookup(extract(name), Arena.ofAuto());
  }

  static MethodHandle bind(SymbolLookup library, String name, FunctionDescriptor type) {
    return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), type);
  }

  /** A file named by its content's hash, so that copies of different builds never meet. */
  private static Path extract(String name) {
    try (InputStream in = NativeLibrary.class.getResourceAsStream(name)) {
      byte[] bytes = in.readAllBytes();
      String hash = HexFormat.of().formatHex(digest(bytes), 0, 8);
      Path to = directory.resolve("consort-cpu-" + System.getProperty("user.name") + "-" + hash);
      Files.createDirectories(to);
      Path file = to.resolve("libconsort_cpu.so");
      if (!Files.exists(file)
          || !MessageDigest.isEqual(digest(Files.readAllBytes(file)), digest(bytes))) {
        Path part = Files.createTempFile(to, "part", ".so");
        Files.write(part, bytes);
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
      }
      return file;
    } catch (IOException e) {
      throw new ConsortException(
          ErrorCode.IO,
          "can't write the CPU plugin's native library to "
              + directory
              + "; make it writable, or use the portable path",
          e);
    }
  }

  private static byte[] digest(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
