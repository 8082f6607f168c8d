// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Values of objects, themselves and not their equals, for as long as they live. Thread safe. */
final class WeakIdentityMap<K, V> {
  private final Map<Key, V> values = new ConcurrentHashMap<>();
  private final ReferenceQueue<Object> gone = new ReferenceQueue<>();

  void put(K object, V value) {
    for (Reference<?> old = gone.poll(); old != null; old = gone.poll()) {
      values.remove((Key) old);
    }
    values.put(new Key(object, gone), value);
  }

  Optional<V> get(K object) {
    return Optional.ofNullable(values.get(new Key(object, null)));
  }

  private static final class Key extends WeakReference<Object> {
    private final int hash;

    Key(Object object, @Nullable ReferenceQueue<Object> queue) {
      super(object, queue);
      hash = System.identityHashCode(object);
    }

    @Override
    public int hashCode() {
      return hash;
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return this == other || (other instanceof Key key && get() != null && get() == key.get());
    }
  }
}
