// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * How JVMs are forked.
 *
 * @param java the program
 * @param flags before the main class
 * @param classPath holds the host
 * @param kit what sections that use the conformance kit have on their class path too
 */
public record ForkedJvm(Path java, List<String> flags, List<Path> classPath, List<Path> kit) {
  /** The system property that names the folder of the kit's JARs; the launcher sets it. */
  public static final String KIT_PROPERTY = "consort.kit";

  /** Kinds of flags that a fork takes over; what tunes or debugs this JVM is not among them. */
  private static final List<String> TAKEN =
      List.of("--enable-native-access", "--add-modules", "--sun-misc-unsafe", "-Xmx", "-D");

  /** With it kernels are Java, and need the optimising compiler. */
  private static final String VECTORS = "--add-modules=jdk.incubator.vector";

  public ForkedJvm {
    flags = List.copyOf(flags);
    classPath = List.copyOf(classPath);
    kit = List.copyOf(kit);
  }

  /** With this JVM's program, class path and flags, and the kit of {@value #KIT_PROPERTY}. */
  public static ForkedJvm likeThisOne() {
    List<String> flags = new ArrayList<>();
    for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (TAKEN.stream().anyMatch(flag::startsWith)) {
        flags.add(flag);
      }
    }
    List<Path> classPath =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !entry.isEmpty())
            .map(Path::of)
            .toList();
    String kit = System.getProperty(KIT_PROPERTY, "");
    return new ForkedJvm(
        Path.of(System.getProperty("java.home"), "bin", "java"),
        flags,
        classPath,
        kit.isEmpty() ? List.of() : jars(Path.of(kit)));
  }

  private static List<Path> jars(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".jar")).sorted().toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /**
   * The command line that starts {@code main}.
   *
   * @param folder where the JVM may leave what it has to say when it dies
   */
  public List<String> command(Class<?> main, Path folder, List<Path> more) {
    List<String> command = new ArrayList<>();
    command.add(java.toString());
    command.addAll(flags);
    command.add("-XX:+UseSerialGC");
    command.add("-XX:-UsePerfData");
    command.add("-XX:-CreateCoredumpOnCrash");
    if (!flags.contains(VECTORS)) {
      command.add("-XX:TieredStopAtLevel=1");
    }
    command.add("-Xshare:auto");
    command.add("-XX:ErrorFile=" + folder.resolve(Fork.ERROR_FILE));
    command.add("-cp");
    List<Path> all = new ArrayList<>(classPath);
    all.addAll(more);
    command.add(String.join(File.pathSeparator, all.stream().map(Path::toString).toList()));
    command.add(main.getName());
    return command;
  }
}
