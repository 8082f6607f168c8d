// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import java.util.function.Supplier;

/** Where a device's threads run, and where its memory comes from. Thread safe. */
interface Placement {
  /** Any core and any memory: the whole machine is one device. */
  Placement ANYWHERE = new Anywhere();

  /** On one node of several. */
  static Placement on(Topology.Node node) {
    return new OnNode(node);
  }

  /** The most threads that have a core each. */
  int cores();

  /** Free and total bytes of memory. */
  long[] memory();

  /** What the device's name has to say of it, or an empty string. */
  String suffix();

  /** Whether other devices have memory of their own, so that the caller's may be far. */
  boolean isLocal();

  /** Moves the calling thread to its place; to be called by the device's own threads. */
  void enter();

  /** Does what touches memory for the first time where that memory is to be. */
  <T> T near(Supplier<T> work);

  /** No place of its own. */
  record Anywhere() implements Placement {
    @Override
    public int cores() {
      return Integer.MAX_VALUE;
    }

    @Override
    public long[] memory() {
      return Processor.memory();
    }

    @Override
    public String suffix() {
      return "";
    }

    @Override
    public boolean isLocal() {
      return false;
    }

    @Override
    public void enter() {}

    @Override
    public <T> T near(Supplier<T> work) {
      return work.get();
    }
  }

  /** The system gives memory on the node of the core that touches it first. */
  record OnNode(Topology.Node node) implements Placement {
    @Override
    public int cores() {
      return node.cores().size();
    }

    @Override
    public long[] memory() {
      return node.memory();
    }

    @Override
    public String suffix() {
      return ", node " + node.number();
    }

    @Override
    public boolean isLocal() {
      return true;
    }

    @Override
    public void enter() {
      Affinity.pin(node.cores());
    }

    @Override
    public <T> T near(Supplier<T> work) {
      return Affinity.on(node.cores(), work);
    }
  }
}
