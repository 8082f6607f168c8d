// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.broken;

import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.spi.BackendProvider;
import dev.consort.spi.PluginContext;
import dev.consort.tck.BufferTests;
import dev.consort.tck.CollectiveTests;
import dev.consort.tck.ConcurrencyTests;
import dev.consort.tck.Declaration;
import dev.consort.tck.HostileTests;
import dev.consort.tck.LifecycleTests;
import dev.consort.tck.OperationTests;
import dev.consort.tck.OrderingTests;
import dev.consort.tck.PlanTests;
import dev.consort.tck.RegistrationTests;
import dev.consort.tck.Subject;
import dev.consort.tck.TransferTests;
import dev.consort.tck.cases.OperationCase;
import dev.consort.tck.cases.OperationCases;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The kit's parts on a broken device; run by {@link BrokenDevicesTest}, which sets the defect. */
final class BrokenKit {
  static volatile Defect defect = Defect.NONE;
  static volatile Declaration declaration = Declaration.everything();

  private BrokenKit() {}

  private static Subject broken() {
    Device device = new BrokenDevice(0, defect);
    return new Subject() {
      @Override
      public Device device() {
        return device;
      }

      @Override
      public Declaration declaration() {
        return declaration;
      }

      @Override
      public Optional<Supplier<? extends BackendProvider>> provider() {
        return Optional.of(BrokenProvider::new);
      }

      @Override
      public List<Device> members(int count) {
        return IntStream.range(0, count)
            .<Device>mapToObj(index -> new BrokenDevice(index, defect))
            .toList();
      }
    };
  }

  /** A provider of one broken device. */
  private static final class BrokenProvider implements BackendProvider {
    @Override
    public String name() {
      return "reference";
    }

    @Override
    public dev.consort.spi.Registration register(PluginContext context) {
      return dev.consort.spi.Registration.of("1.0", List.of(new BrokenDevice(0, defect)), () -> {});
    }
  }

  static class Operations extends OperationTests {
    @Override
    protected Subject subject() {
      return broken();
    }

    /** Enough to find what is wrong. */
    @Override
    protected Stream<OperationCase> cases() {
      return OperationCases.single().stream()
          .filter(
              test ->
                  test.label().equals("sum")
                      || (test.label().equals("mat_mul")
                          && List.of(DataType.F32, DataType.Q4_0).contains(test.type())));
    }
  }

  static class Registration extends RegistrationTests {
    @Override
    protected Subject subject() {
      return broken();
    }
  }

  static class Ordering extends OrderingTests {
    @Override
    protected Subject subject() {
      return broken();
    }
  }

  static class Plans extends PlanTests {
    @Override
    protected Subject subject() {
      return broken();
    }
  }

  static class Collectives extends CollectiveTests {
    @Override
    protected Subject subject() {
      return broken();
    }
  }

  static class Buffers extends BufferTests {
    @Override
    protected Subject subject() {
      return broken();
    }
  }

  static class Transfers extends TransferTests {
    @Override
    protected Subject subject() {
      return broken();
    }
  }

  static class Lifecycle extends LifecycleTests {
    @Override
    protected Subject subject() {
      return broken();
    }

    @Override
    protected Duration patience() {
      return Duration.ofSeconds(3);
    }
  }

  static class Hostile extends HostileTests {
    @Override
    protected Subject subject() {
      return broken();
    }
  }

  static class Concurrency extends ConcurrencyTests {
    @Override
    protected Subject subject() {
      return broken();
    }
  }
}
