// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.DeviceKind;
import dev.consort.api.ErrorCode;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeviceSelectionTest {
  private static final Device CPU = new NamedDevice("cpu", 0, "EPYC", DeviceKind.CPU, false, "");
  private static final Device LLVMPIPE =
      new NamedDevice("vulkan", 0, "llvmpipe (LLVM 15)", DeviceKind.CPU, true, "Mesa 22.3.6");
  private static final Device SWIFT =
      new NamedDevice("vulkan", 1, "SwiftShader Device", DeviceKind.GPU, true, "SwiftShader 5");
  private static final Device H200 =
      new NamedDevice("vulkan", 2, "NVIDIA H200", DeviceKind.GPU, false, "580.1");
  private static final Device OTHER =
      new NamedDevice("vulkan", 3, "NVIDIA H200", DeviceKind.GPU, false, "580.1");

  private final DeviceSelection selection =
      new DeviceSelection(List.of(CPU, LLVMPIPE, SWIFT, H200, OTHER));

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "cpu:0 ; cpu:0",
        "cpu ; cpu:0",
        "vulkan:3,cpu:0 ; vulkan:3 cpu:0",
        "cpu:0*3 ; cpu:0 cpu:0 cpu:0",
        "cpu:0,vulkan:1,cpu:0*2 ; cpu:0 vulkan:1 cpu:0 cpu:0",
        "vulkan:llvmpipe ; vulkan:0",
        "VULKAN:LLVMpipe*2 ; vulkan:0 vulkan:0",
        "swiftshader ; vulkan:1",
        "vulkan:mesa 22 ; vulkan:0",
        "' cpu:0 , vulkan:0 * 2 ' ; cpu:0 vulkan:0 vulkan:0",
        "cpu:0*16 ; cpu:0 cpu:0 cpu:0 cpu:0 cpu:0 cpu:0 cpu:0 cpu:0 cpu:0 cpu:0 cpu:0 cpu:0 cpu:0"
            + " cpu:0 cpu:0 cpu:0"
      })
  void namesMembers(String text, String ids) {
    assertThat(selection.select(text))
        .extracting(device -> device.info().id())
        .containsExactly(ids.split(" "));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "cuda:0 ; NOT_FOUND ; no device \"cuda:0\"",
        "cpu:1 ; NOT_FOUND ; no device \"cpu:1\"",
        "vulkan:00 ; NOT_FOUND ; no device",
        "vulkan:radeon ; NOT_FOUND ; no device \"vulkan:radeon\"",
        "vulkan: ; NOT_FOUND ; no device",
        "vulkan:h200 ; INVALID_ARGUMENT ; fits vulkan:2, vulkan:3",
        "vulkan ; INVALID_ARGUMENT ; vulkan:0, vulkan:1, vulkan:2, vulkan:3",
        "'' ; INVALID_ARGUMENT ; empty device name",
        "cpu:0,, ; INVALID_ARGUMENT ; empty device name",
        "cpu:0*0 ; INVALID_ARGUMENT ; repeats a device \"0\" times",
        "cpu:0*x ; INVALID_ARGUMENT ; repeats a device \"x\" times",
        "cpu:0*17 ; INVALID_ARGUMENT ; names 17 members",
        "cpu:0*2000000000,cpu:0*2000000000 ; INVALID_ARGUMENT ; names 4000000000 members",
        "cpu:0*10,vulkan:0*7 ; INVALID_ARGUMENT ; at most 16"
      })
  void refusesWhatNamesNoMembers(String text, ErrorCode code, String message) {
    assertThatThrownBy(() -> selection.select(text))
        .isInstanceOfSatisfying(ConsortException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContaining(message);
  }

  @Test
  void anUnknownDeviceIsAnsweredWithThoseThatExist() {
    assertThatThrownBy(() -> selection.select("cuda:0"))
        .hasMessageContaining("cpu:0 (EPYC), vulkan:0 (llvmpipe (LLVM 15)), vulkan:1");
  }

  @Test
  void hardwareIsChosenByDefaultAndProgramsNever() {
    assertThat(selection.standard()).containsExactly(H200, OTHER);
    assertThat(new DeviceSelection(List.of(LLVMPIPE, CPU, SWIFT)).standard()).containsExactly(CPU);
  }

  @Test
  void withNoDeviceAtAllTheErrorSaysWhereToLook() {
    assertThatThrownBy(() -> new DeviceSelection(List.of()).standard())
        .hasMessageContaining("consort plugins");
  }

  @Test
  void membersAreAtMostSixteenByDefault() {
    List<Device> many =
        java.util.stream.IntStream.range(0, 20)
            .<Device>mapToObj(i -> new NamedDevice("gpu", i, "G", DeviceKind.GPU, false, ""))
            .toList();
    assertThat(new DeviceSelection(many).standard()).hasSize(16);
  }
}
