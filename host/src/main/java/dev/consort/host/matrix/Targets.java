// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.DeviceInfo;
import dev.consort.api.ErrorCode;
import dev.consort.host.matrix.cell.Probe;
import dev.consort.host.matrix.cell.Target;
import dev.consort.host.meta.MetaDevice;
import dev.consort.host.plugin.DeviceSelection;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes columns of what was chosen and what is there. */
final class Targets {
  private final List<Probe> devices;
  private final DeviceSelection selection;

  Targets(List<Probe> devices) {
    this.devices = List.copyOf(devices);
    this.selection = new DeviceSelection(devices.stream().<Device>map(ListedDevice::new).toList());
  }

  /**
   * The columns.
   *
   * @throws ConsortException NOT_FOUND, INVALID_ARGUMENT
   */
  List<Target> of(TargetChoice choice) {
    return switch (choice) {
      case TargetChoice.Standard all -> standard();
      case TargetChoice.Named named -> {
        Map<String, Target> targets = new LinkedHashMap<>();
        named.devices().forEach(text -> targets.put(text, target(text)));
        named.mixes().forEach(text -> targets.put(text, target(text)));
        yield List.copyOf(targets.values());
      }
    };
  }

  /**
   * Every device; then of devices that compute differently two virtual members of the first that is
   * no program, every pair, and all together.
   */
  private List<Target> standard() {
    List<Target> targets = new ArrayList<>();
    Map<String, DeviceInfo> kinds = new LinkedHashMap<>();
    for (Probe device : devices) {
      targets.add(target(device.info().id()));
      kinds.putIfAbsent(
          device.info().plugin() + " " + device.info().arithmeticClass(), device.info());
    }
    List<DeviceInfo> different = List.copyOf(kinds.values());
    different.stream()
        .filter(info -> !info.software())
        .forEach(info -> targets.add(target(info.id() + "*2")));
    for (int i = 0; i < different.size(); i++) {
      for (int j = i + 1; j < different.size(); j++) {
        targets.add(target(different.get(i).id() + "," + different.get(j).id()));
      }
    }
    if (different.size() > 2) {
      targets.add(
          target(
              String.join(
                  ",",
                  different.stream().map(DeviceInfo::id).limit(MetaDevice.MAX_MEMBERS).toList())));
    }
    return targets;
  }

  private Target target(String text) {
    int at = text.indexOf('@');
    List<String> members =
        selection.select(at < 0 ? text : text.substring(0, at)).stream()
            .map(device -> device.info().id())
            .toList();
    return new Target(
        text.replaceAll("\\s", ""),
        members,
        at < 0
            ? Collections.nCopies(members.size(), 1.0)
            : shares(text.substring(at + 1), members.size(), text));
  }

  private static List<Double> shares(String shares, int members, String text) {
    List<Double> found = new ArrayList<>();
    try {
      for (String share : shares.split("/", -1)) {
        found.add(Double.valueOf(share.strip()));
      }
    } catch (NumberFormatException e) {
      found.clear();
    }
    if (found.size() != members) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "\"%s\" has %d members; write a share for each, as in cpu:0*2@3/1"
              .formatted(text, members));
    }
    return found;
  }
}
