// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tensors bound to places in buffers, by name. Owns its buffers unless it was {@linkplain #join
 * joined} from others. Immutable but for closing.
 */
@Stable(since = "1.0")
public final class Allocation implements AutoCloseable {
  private final Map<String, Storage> places;
  private final List<Buffer> owned;
  private final Optional<Storage> scratch;

  private Allocation(Map<String, Storage> places, List<Buffer> owned, Optional<Storage> scratch) {
    this.places = places;
    this.owned = owned;
    this.scratch = scratch;
  }

  /** An allocation that closes {@code owned} when it is closed. */
  public static Allocation of(Collection<Storage> places, List<Buffer> owned) {
    Map<String, Storage> byName = new HashMap<>();
    places.forEach(place -> byName.put(place.tensor().name(), place));
    return new Allocation(byName, List.copyOf(owned), Optional.empty());
  }

  /** What the parts hold, as one; the parts keep their buffers and must stay open. */
  public static Allocation join(List<Allocation> parts) {
    Map<String, Storage> byName = new HashMap<>();
    Optional<Storage> scratch = Optional.empty();
    for (Allocation part : parts) {
      byName.putAll(part.places);
      scratch = part.scratch.isPresent() ? part.scratch : scratch;
    }
    return new Allocation(byName, List.of(), scratch);
  }

  /** This allocation with scratch memory; a buffer and an offset, its tensor is of no meaning. */
  public Allocation withScratch(Storage memory) {
    return new Allocation(places, owned, Optional.of(memory));
  }

  /**
   * Where the tensor's data lie. A tensor with a base lies in the base's place.
   *
   * @throws ConsortException NOT_FOUND if it has no place here
   */
  public Storage storage(Tensor tensor) {
    Tensor root = tensor.root();
    Storage place = places.get(root.name());
    if (place == null) {
      throw new ConsortException(ErrorCode.NOT_FOUND, root + " has no place in this allocation");
    }
    return new Storage(tensor, place.buffer(), place.offset() + tensor.offset());
  }

  public boolean holds(Tensor tensor) {
    return places.containsKey(tensor.root().name());
  }

  /** Memory that a plan may use while it runs, of the size that its schedule asked for. */
  public Optional<Storage> scratch() {
    return scratch;
  }

  /** All places, in no order. */
  public Collection<Storage> storages() {
    return List.copyOf(places.values());
  }

  /** The buffers that closing frees. */
  public List<Buffer> buffers() {
    return owned;
  }

  /** Bytes of the buffers that closing frees. */
  public long bytes() {
    return owned.stream().mapToLong(Buffer::bytes).sum();
  }

  @Override
  public void close() {
    new ArrayList<>(owned).forEach(Buffer::close);
  }
}
