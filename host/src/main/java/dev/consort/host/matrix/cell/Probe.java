// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import dev.consort.api.Device;
import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceKind;
import dev.consort.api.DeviceMemory;
import dev.consort.host.Consort;
import dev.consort.host.plugin.PluginStatus;
import java.util.List;

/**
 * A device that was listed in another JVM.
 *
 * @param origin the JAR file of its plugin, or {@code class path}
 */
public record Probe(DeviceInfo info, DeviceMemory memory, String origin) {

  static void run(Consort consort, Talk talk) {
    for (PluginStatus plugin : consort.plugins()) {
      talk.say(
          Message.Kind.PLUGIN,
          plugin.name(),
          plugin.version(),
          plugin.state().name(),
          plugin.reason(),
          plugin.origin());
      for (Device device : plugin.devices()) {
        talk.say(
            Message.Kind.DEVICE, encode(new Probe(device.info(), memory(device), plugin.origin())));
      }
    }
  }

  private static DeviceMemory memory(Device device) {
    try {
      return device.memory();
    } catch (RuntimeException e) {
      return new DeviceMemory(0, 0);
    }
  }

  private static List<String> encode(Probe device) {
    DeviceInfo info = device.info();
    return List.of(
        info.plugin(),
        String.valueOf(info.index()),
        info.name(),
        info.kind().name(),
        String.valueOf(info.software()),
        info.driver(),
        info.arithmeticClass(),
        String.valueOf(device.memory().free()),
        String.valueOf(device.memory().total()),
        device.origin());
  }

  /** From the texts of a {@link Message.Kind#DEVICE}. */
  public static Probe decode(List<String> texts) {
    DeviceInfo info =
        new DeviceInfo(
            texts.get(0),
            Integer.parseInt(texts.get(1)),
            texts.get(2),
            DeviceKind.valueOf(texts.get(3)),
            Boolean.parseBoolean(texts.get(4)),
            texts.get(5),
            texts.get(6));
    DeviceMemory memory =
        new DeviceMemory(Long.parseLong(texts.get(7)), Long.parseLong(texts.get(8)));
    return new Probe(info, memory, texts.get(9));
  }
}
