// SPDX-License-Identifier: Apache-2.0
package dev.consort.vulkan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the provider says on machines that lack something, each in a JVM of its own. */
class ProviderTest {
  /** Prints how many devices there are, and why. */
  static final class Main {
    public static void main(String[] args) {
      var registration = Rig.registration();
      System.out.println(registration.devices().size() + " devices: " + registration.unavailable());
    }
  }

  private static String register(List<String> flags, Map<String, String> environment)
      throws IOException, InterruptedException {
    List<String> command = new java.util.ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(flags);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  @Test
  void without_a_loader_there_are_no_devices_and_a_reason() throws Exception {
    assertThat(register(List.of("-Dorg.lwjgl.vulkan.libname=no-such-library"), Map.of()))
        .contains("0 devices: no Vulkan loader was found");
  }

  @Test
  void without_a_driver_there_are_no_devices_and_a_reason() throws Exception {
    Rig.devices();
    var nowhere =
        Map.of(
            "VK_DRIVER_FILES", "/no-such-driver.json",
            "VK_ICD_FILENAMES", "/no-such-driver.json",
            "VK_ADD_DRIVER_FILES", "");
    assertThat(register(List.of(), nowhere)).contains("0 devices: the Vulkan loader has no driver");
  }
}
