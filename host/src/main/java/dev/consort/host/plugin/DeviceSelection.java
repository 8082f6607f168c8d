// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceKind;
import dev.consort.api.ErrorCode;
import dev.consort.host.meta.MetaDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * How users name the members of a meta device: {@code cpu:0,vulkan:1,cpu:0*4}. A term is an id, or
 * words of a device's name or driver, alone ({@code llvmpipe}) or after its plugin's name ({@code
 * vulkan:llvmpipe}); {@code *n} takes the device n times, as virtual members. Upper and lower case
 * are the same.
 */
public final class DeviceSelection {
  /** The most members that a meta device has. */
  public static final int MAX_MEMBERS = MetaDevice.MAX_MEMBERS;

  private final List<Device> devices;

  public DeviceSelection(List<Device> devices) {
    this.devices = List.copyOf(devices);
  }

  /**
   * The members in the order of the text, a device once for each time it is named.
   *
   * @throws ConsortException NOT_FOUND for a name that no device has; INVALID_ARGUMENT for text
   *     that names no device, several at once or more than {@link #MAX_MEMBERS} members
   */
  public List<Device> select(String text) {
    List<Device> members = new ArrayList<>();
    long count = 0;
    for (String term : text.split(",", -1)) {
      String name = term.strip();
      int star = name.lastIndexOf('*');
      int times = star < 0 ? 1 : times(name, name.substring(star + 1).strip());
      Device device = one(star < 0 ? name : name.substring(0, star).strip(), text);
      count += times;
      for (int i = 0; i < times && members.size() < MAX_MEMBERS; i++) {
        members.add(device);
      }
    }
    if (count > MAX_MEMBERS) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "\"%s\" names %d members; a meta device has at most %d"
              .formatted(text, count, MAX_MEMBERS));
    }
    return members;
  }

  /**
   * What is taken where users say nothing: every GPU or accelerator that is no program, else the
   * CPU, which is several devices where its memory has several nodes.
   *
   * @throws ConsortException NOT_FOUND if there is neither
   */
  public List<Device> standard() {
    List<Device> hardware =
        devices.stream()
            .filter(d -> d.info().kind() != DeviceKind.CPU && !d.info().software())
            .limit(MAX_MEMBERS)
            .toList();
    if (!hardware.isEmpty()) {
      return hardware;
    }
    List<Device> nodes =
        devices.stream().filter(d -> d.info().plugin().equals("cpu")).limit(MAX_MEMBERS).toList();
    return nodes.size() > 1 ? nodes : select("cpu:0");
  }

  private static int times(String term, String count) {
    try {
      int times = Integer.parseInt(count);
      if (times >= 1) {
        return times;
      }
    } catch (NumberFormatException e) {
      // Told below.
    }
    throw new ConsortException(
        ErrorCode.INVALID_ARGUMENT,
        "\"%s\" repeats a device \"%s\" times; write a number from 1 to %d, as in cpu:0*4"
            .formatted(term, count, MAX_MEMBERS));
  }

  private Device one(String name, String text) {
    if (name.isEmpty()) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "\"%s\" holds an empty device name; write names with commas between them, as in cpu:0,vulkan:1"
              .formatted(text));
    }
    List<Device> found = devices.stream().filter(matcher(name)).toList();
    if (found.size() == 1) {
      return found.getFirst();
    }
    throw found.isEmpty()
        ? new ConsortException(
            ErrorCode.NOT_FOUND, "there is no device \"%s\"; there are: %s".formatted(name, list()))
        : new ConsortException(
            ErrorCode.INVALID_ARGUMENT,
            "\"%s\" fits %s; name one of them by its id"
                .formatted(
                    name,
                    found.stream().map(d -> d.info().id()).collect(Collectors.joining(", "))));
  }

  private static Predicate<Device> matcher(String name) {
    String wanted = name.toLowerCase(Locale.ROOT);
    int colon = wanted.indexOf(':');
    String plugin = colon < 0 ? "" : wanted.substring(0, colon).strip();
    String words = colon < 0 ? wanted : wanted.substring(colon + 1).strip();
    return device -> {
      DeviceInfo info = device.info();
      if (colon < 0) {
        return info.plugin().equals(words) || describes(info, words);
      }
      boolean isNumber = !words.isEmpty() && words.chars().allMatch(Character::isDigit);
      return info.plugin().equals(plugin)
          && (isNumber ? words.equals(Integer.toString(info.index())) : describes(info, words));
    };
  }

  private static boolean describes(DeviceInfo info, String words) {
    return !words.isEmpty()
        && (info.name() + "\n" + info.driver()).toLowerCase(Locale.ROOT).contains(words);
  }

  private String list() {
    return devices.isEmpty()
        ? "none (consort plugins says why)"
        : devices.stream()
            .map(d -> d.info().id() + " (" + d.info().name() + ")")
            .collect(Collectors.joining(", "));
  }
}
