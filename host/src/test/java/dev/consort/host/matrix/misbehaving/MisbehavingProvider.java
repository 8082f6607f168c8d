// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.misbehaving;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.Device;
import dev.consort.api.Graph;
import dev.consort.api.Plan;
import dev.consort.api.Schedule;
import dev.consort.spi.BackendProvider;
import dev.consort.spi.PluginContext;
import dev.consort.spi.Registration;
import dev.consort.tck.reference.ReferenceDevice;
import dev.consort.tck.reference.ReferenceOptions;
import dev.consort.tck.wrap.DelegatingBackend;
import dev.consort.tck.wrap.DelegatingDevice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * The kit's reference device. The setting {@code OPERATION}, or {@code register}, says how it
 * misbehaves there: {@code segfault}, {@code exit}, {@code hang} or {@code throw}.
 */
public final class MisbehavingProvider implements BackendProvider {
  @Override
  public String name() {
    return "misbehaving";
  }

  @Override
  public Registration register(PluginContext context) {
    context.setting("register").ifPresent(MisbehavingProvider::misbehave);
    Device good = new ReferenceDevice(ReferenceOptions.of(0).plugin("misbehaving"));
    return Registration.of("1.0", List.of(new Misbehaving(good, context)), () -> {});
  }

  private static void misbehave(String how) {
    switch (how) {
      // Beyond the page whose faults the JVM takes for null pointers.
      case "segfault" ->
          MemorySegment.ofAddress(2 << 13).reinterpret(1).set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
      case "exit" -> Runtime.getRuntime().halt(3);
      case "hang" -> {
        while (true) {
          LockSupport.park();
        }
      }
      default -> throw new IllegalStateException("told to " + how);
    }
  }

  private static final class Misbehaving extends DelegatingDevice {
    private final PluginContext context;

    Misbehaving(Device good, PluginContext context) {
      super(good);
      this.context = context;
    }

    @Override
    protected DelegatingBackend wrap(Backend backend) {
      return new DelegatingBackend(this, backend) {
        @Override
        public Plan compile(Graph graph, Schedule schedule, Allocation allocation) {
          graph
              .nodes()
              .forEach(
                  node ->
                      context
                          .setting(node.operation().label())
                          .ifPresent(MisbehavingProvider::misbehave));
          return super.compile(graph, schedule, allocation);
        }
      };
    }
  }
}
