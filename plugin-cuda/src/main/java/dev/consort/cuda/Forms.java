// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Graph;
import dev.consort.api.Tensor;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which tensors lie in scratch memory in a product's form, while a plan is made: at most two, the
 * older of which gives way.
 */
final class Forms {
  private record Held(Tensor key, Form form) {}

  private final Map<Tensor, Form> wanted = new IdentityHashMap<>();
  private final Set<Tensor> plain = Collections.newSetFromMap(new IdentityHashMap<>());
  private final @Nullable Held[] places = new @Nullable Held[2];
  private int next;

  Forms(Graph graph) {
    for (Tensor node : graph.nodes()) {
      MatrixKernels.form(node)
          .ifPresent(form -> wanted.putIfAbsent(form.key(node.source(1)), form));
    }
    graph.outputs().forEach(output -> plain.add(output.root()));
    graph.nodes().stream().filter(node -> !node.isView()).forEach(this::read);
  }

  /** Notes which sources are read as they are. */
  private void read(Tensor node) {
    Optional<Form> form = MatrixKernels.form(node);
    for (int i = 0; i < node.sources().size(); i++) {
      Tensor source = node.source(i);
      boolean formed =
          i == 1 && form.isPresent() && form.get() == wanted.get(form.get().key(source));
      if (!formed) {
        plain.add(source.root());
      }
    }
  }

  /** Whether nobody reads a computed tensor but in its form. */
  boolean isOnlyFormed(Tensor computed) {
    return wanted.containsKey(computed) && !plain.contains(computed);
  }

  /** The form in which a product will want a computed tensor. */
  Optional<Form> wanted(Tensor computed) {
    return Optional.ofNullable(wanted.get(computed));
  }

  /** The place of a tensor that is there already, or -1; the next one made goes to the other. */
  int find(Tensor x, Form form) {
    Tensor key = form.key(x);
    for (int i = 0; i < places.length; i++) {
      Held held = places[i];
      if (held != null && held.key == key && held.form == form) {
        next = 1 - i;
        return i;
      }
    }
    return -1;
  }

  /** The place where it is to be made. */
  int make(Tensor x, Form form) {
    int place = next;
    next = 1 - next;
    places[place] = new Held(form.key(x), form);
    return place;
  }
}
