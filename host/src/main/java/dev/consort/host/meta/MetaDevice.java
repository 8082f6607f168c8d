// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.meta;

import dev.consort.api.Backend;
import dev.consort.api.BufferType;
import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceKind;
import dev.consort.api.DeviceMemory;
import dev.consort.api.ErrorCode;
import dev.consort.api.Event;
import dev.consort.api.Graph;
import dev.consort.api.Operation;
import dev.consort.api.ProcAddress;
import dev.consort.api.Support;
import dev.consort.api.Tensor;
import dev.consort.api.WirePolicy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * One device made of 1 to 16 others, of any mix of plugins; the same device may be a member several
 * times. With one member, or without a split, it is that member: buffers, backends and plans are
 * the member's own.
 */
public final class MetaDevice implements Device {
  /** The most members that one meta device may have. */
  public static final int MAX_MEMBERS = 16;

  private static final int REMEMBERED = 32;

  private final List<Device> members;
  private final double[] shares;
  private final Split split;
  private final WirePolicy wire;
  private final MetaBufferType bufferType = new MetaBufferType(this);
  private final Deque<Spread> recent = new ArrayDeque<>();

  /**
   * @param shares of the work, one a member, in any unit; a member whose share is 0 stays idle
   */
  public MetaDevice(List<Device> members, double[] shares, Split split, WirePolicy wire) {
    if (members.isEmpty() || members.size() > MAX_MEMBERS) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "a meta device has 1 to %d members, not %d".formatted(MAX_MEMBERS, members.size()));
    }
    if (shares.length != members.size()
        || Arrays.stream(shares).anyMatch(w -> !(w >= 0) || Double.isInfinite(w))
        || Arrays.stream(shares).sum() <= 0) {
      throw new ConsortException(
          ErrorCode.INVALID_ARGUMENT,
          "expected %d shares of 0 or more, one above 0, found %s"
              .formatted(members.size(), Arrays.toString(shares)));
    }
    this.members = List.copyOf(members);
    this.shares = shares.clone();
    this.split = split;
    this.wire = wire;
  }

  /** Members that share the work evenly. */
  public static MetaDevice even(List<Device> members) {
    double[] shares = new double[members.size()];
    Arrays.fill(shares, 1);
    return new MetaDevice(members, shares, Split.TENSOR, WirePolicy.EXACT);
  }

  public List<Device> members() {
    return members;
  }

  /**
   * What each member will hold of a graph: its slices in the data types and the memory that it gets
   * them in. Decides how the graph is spread, as {@link Backend#schedule} does.
   *
   * @throws ConsortException UNSUPPORTED if the members can't run the graph
   */
  public List<Holding> holdings(Graph graph) {
    if (bare().isPresent()) {
      List<Holding> all = new ArrayList<>(Collections.nCopies(members.size(), new Holding(0, 0)));
      Map<String, BufferType> types = WeightTypes.choose(bare().get(), List.of(graph));
      all.set(0, holding(graph, bare().get(), types, Optional::of));
      return List.copyOf(all);
    }
    Spread spread = spreadOfGraph(graph);
    List<Holding> all = new ArrayList<>();
    for (int m = 0; m < members.size(); m++) {
      int member = m;
      all.add(
          holding(
              graph,
              members.get(m),
              spread.weightTypes().get(m),
              leaf -> spread.piece(leaf, member)));
    }
    return List.copyOf(all);
  }

  private static Holding holding(
      Graph graph,
      Device of,
      Map<String, BufferType> types,
      Function<Tensor, Optional<Tensor>> pieces) {
    long weights = 0;
    long states = 0;
    for (Tensor leaf : graph.leaves()) {
      Optional<Tensor> piece = pieces.apply(leaf);
      if (piece.isPresent() && leaf.operation() instanceof Operation.Weight) {
        weights += types.getOrDefault(leaf.name(), of.bufferType()).bytes(piece.get());
      } else if (piece.isPresent() && leaf.operation() instanceof Operation.State) {
        states += of.bufferType().bytes(piece.get());
      }
    }
    return new Holding(weights, states);
  }

  public Split split() {
    return split;
  }

  public WirePolicy wire() {
    return wire;
  }

  /** The one member that this device is, if nothing is split. */
  public Optional<Device> bare() {
    if (members.size() == 1 || split == Split.NONE) {
      return Optional.of(members.getFirst());
    }
    return Optional.empty();
  }

  @Override
  public DeviceInfo info() {
    if (bare().isPresent()) {
      return bare().get().info();
    }
    String name = members.stream().map(m -> m.info().id()).collect(Collectors.joining(" + "));
    String arithmetic =
        members.stream()
            .map(m -> m.info().arithmeticClass())
            .distinct()
            .collect(Collectors.joining(" + "));
    boolean software = members.stream().anyMatch(m -> m.info().software());
    return new DeviceInfo(
        "meta",
        0,
        name,
        DeviceKind.META,
        software,
        split.name().toLowerCase(Locale.ROOT),
        arithmetic);
  }

  @Override
  public DeviceMemory memory() {
    long free = 0;
    long total = 0;
    for (Device device : List.copyOf(new LinkedHashSet<>(members))) {
      DeviceMemory memory = device.memory();
      free += memory.free();
      total += memory.total();
    }
    return new DeviceMemory(free, total);
  }

  @Override
  public BufferType bufferType() {
    return bare().map(Device::bufferType).orElse(bufferType);
  }

  /** Whether all members can compute the node whole. */
  @Override
  public Support supports(Tensor node) {
    for (Device member : members) {
      Support support = member.supports(node);
      if (!support.supported()) {
        return Support.no(member.info().id() + ": " + support.reason());
      }
    }
    return Support.yes();
  }

  @Override
  public Backend createBackend() {
    return bare().map(Device::createBackend).orElseGet(() -> new MetaBackend(this));
  }

  @Override
  public Event createEvent() {
    return bare().map(Device::createEvent).orElseGet(() -> new MetaEvent(this));
  }

  @Override
  public <T> Optional<T> find(ProcAddress<T> address) {
    return bare().flatMap(device -> device.find(address));
  }

  /** Whether all members give bitwise equal results. */
  boolean isOneArithmetic() {
    return members.stream().map(m -> m.info().arithmeticClass()).distinct().count() == 1;
  }

  /**
   * Decides how a graph is spread over the members, and remembers it for the graph's leaves and
   * outputs. What members refused of earlier graphs of the same weights they don't get in this one.
   *
   * @throws ConsortException UNSUPPORTED if the members can't run it
   */
  synchronized Spread spread(Graph graph) {
    Remedies known =
        recent.stream()
            .filter(spread -> spread.hasWeightsOf(graph))
            .findFirst()
            .map(Spread::remedies)
            .orElseGet(() -> new Remedies(shares));
    Spread spread = Placement.spread(graph, members, known, split, isOneArithmetic(), wire);
    remember(spread);
    return spread;
  }

  /** How a graph was spread, or is now. */
  synchronized Spread spreadOfGraph(Graph graph) {
    for (Spread spread : recent) {
      if (spread.graph() == graph) {
        return spread;
      }
    }
    return spread(graph);
  }

  /** Where a tensor lies: as its graph was spread, or as the tensors given declare. */
  synchronized Spread spreadOf(Tensor tensor, Collection<Tensor> others) {
    for (Spread spread : recent) {
      if (spread.holds(tensor)) {
        return spread;
      }
    }
    List<Tensor> strangers = new ArrayList<>(others);
    strangers.removeIf(other -> recent.stream().anyMatch(spread -> spread.holds(other)));
    Spread spread = Placement.declared(strangers, members.size(), shares);
    remember(spread);
    return spread;
  }

  private void remember(Spread spread) {
    recent.addFirst(spread);
    if (recent.size() > REMEMBERED) {
      recent.removeLast();
    }
  }
}
