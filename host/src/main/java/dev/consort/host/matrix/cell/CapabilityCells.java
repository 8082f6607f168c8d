// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import dev.consort.api.Device;
import dev.consort.api.ProcAddress;
import dev.consort.api.ProcAddresses;
import dev.consort.host.meta.MetaDevice;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Which proc addresses the members have; before all, that they can be opened. */
final class CapabilityCells implements SectionCells {
  private static final String OPEN = "opens";

  /** What the host does, as the Javadoc of {@link ProcAddresses} has it. */
  private static final Map<String, String> FALLBACKS =
      Map.of(
          "set_tensor_2d_async", "one set a row",
          "get_tensor_2d_async", "one get a row",
          "copy_tensor_async", "get and set through host memory",
          "comm_init", "the host's own collectives over copies, additions and host memory",
          "host_buffer_type", "ordinary host memory",
          "buffer_from_host_ptr", "allocate and set",
          "extra_buffer_types",
              "weights lie in the device's buffer type, in the layout of their data type",
          "host_signal", "the host submits only when the foreign event is done",
          "set_n_threads", "the device's own choice",
          "get_features", "nothing is listed");

  /** The fallback of a standard capability, for people. */
  static String fallback(ProcAddress<?> address) {
    return FALLBACKS.getOrDefault(address.name(), "nothing; it is not known to this host");
  }

  @Override
  public List<String> rows() {
    List<String> rows = new ArrayList<>(List.of(OPEN));
    ProcAddresses.all().forEach(address -> rows.add(address.toString()));
    return rows;
  }

  @Override
  public Outcome run(String row, MetaDevice device, Consumer<String> at) {
    if (row.equals(OPEN)) {
      device.createBackend().close();
      return Outcome.passed("");
    }
    return ProcAddresses.all().stream()
        .filter(address -> address.toString().equals(row))
        .map(address -> find(address, new LinkedHashSet<>(device.members()), at))
        .findFirst()
        .orElseThrow();
  }

  private static <T> Outcome find(
      ProcAddress<T> address, Set<Device> members, Consumer<String> at) {
    List<String> absent = new ArrayList<>();
    List<String> notes = new ArrayList<>();
    for (Device member : members) {
      at.accept(member.info().id());
      Optional<T> found = member.find(address);
      if (found.isEmpty()) {
        absent.add(member.info().id());
      } else if (address.equals(ProcAddresses.GET_FEATURES)) {
        notes.add(features(member));
      }
    }
    if (absent.isEmpty()) {
      return Outcome.passed(String.join("; ", notes));
    }
    String who = members.size() == 1 ? "absent" : "absent on " + String.join(", ", absent);
    return Outcome.unsupported(who + "; instead: " + fallback(address));
  }

  private static String features(Device member) {
    return member.find(ProcAddresses.GET_FEATURES).orElseThrow().features().entrySet().stream()
        .map(feature -> feature.getKey() + " " + feature.getValue())
        .sorted()
        .collect(Collectors.joining(", ", member.info().id() + ": ", ""));
  }
}
