// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.api.Allocation;
import dev.consort.api.Backend;
import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.Device;
import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceMemory;
import dev.consort.api.ErrorCode;
import dev.consort.api.GraphBuilder;
import dev.consort.api.ProcAddress;
import dev.consort.api.ProcAddresses;
import dev.consort.api.Shape;
import dev.consort.api.Tensor;
import dev.consort.spi.BackendProvider;
import dev.consort.spi.Registration;
import dev.consort.spi.SpiVersion;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/** What a plugin gives the host: names, devices, proc addresses; again and again. */
public abstract class RegistrationTests extends KitTest {
  private static final String NAME = "[a-z0-9-]+";
  private static final int TURNS = 4;

  private final Scope registrations = new Scope();

  /** Every test registers the plugin itself. */
  @Override
  void openDevice() {}

  @AfterEach
  void closeRegistrations() {
    registrations.close();
  }

  private BackendProvider provider() {
    Optional<Supplier<? extends BackendProvider>> made = tested().provider();
    return made.orElseThrow(() -> new TestAbortedException("the subject names no provider")).get();
  }

  private Registration register() {
    KitContext context =
        tested() instanceof PluginSubject plugin ? plugin.context() : new KitContext(Map.of());
    Registration registration = provider().register(context);
    assertThat(registration).as("what register() returned").isNotNull();
    registrations.add(() -> registration.close().run());
    return registration;
  }

  private Registration working() {
    Registration registration = register();
    if (registration.devices().isEmpty()) {
      throw new TestAbortedException("no device here: " + registration.unavailable());
    }
    return registration;
  }

  @Test
  void theNameIsOfLowerCaseLettersDigitsAndHyphens() {
    assertThat(provider().name()).matches(NAME);
  }

  @Test
  void theVersionIsGivenAndTheSpiIsTheHosts() {
    Registration registration = register();
    assertThat(registration.version()).isNotBlank();
    assertThat(SpiVersion.CURRENT.accepts(registration.spiVersion()))
        .as("whether SPI %s takes %s", SpiVersion.CURRENT, registration.spiVersion())
        .isTrue();
  }

  @Test
  void aPluginHasDevicesOrSaysWhyNot() {
    Registration registration = register();
    assertThat(registration.devices().isEmpty())
        .as("no devices; \"%s\"", registration.unavailable())
        .isEqualTo(!registration.unavailable().isBlank());
  }

  @Test
  void devicesAreNumberedAndNamed() {
    String plugin = provider().name();
    List<Device> devices = working().devices();
    for (int i = 0; i < devices.size(); i++) {
      DeviceInfo info = devices.get(i).info();
      assertThat(info.id()).isEqualTo(plugin + ":" + i);
      assertThat(info.name()).as("name of %s", info.id()).isNotBlank();
      assertThat(info.arithmeticClass()).as("arithmetic class of %s", info.id()).isNotBlank();
      assertThat(devices.get(i).info()).as("info of %s asked again", info.id()).isEqualTo(info);
    }
  }

  @Test
  void memoryAddsUp() {
    for (Device device : working().devices()) {
      DeviceMemory memory = device.memory();
      assertThat(memory.total()).as("total memory of %s", device).isPositive();
      assertThat(memory.free()).as("free memory of %s", device).isBetween(0L, memory.total());
      assertThat(device.bufferType().device().info()).isEqualTo(device.info());
      assertThat(device.bufferType().name()).isNotBlank();
    }
  }

  @Test
  void capabilitiesAreFoundByNameAndMajorVersion() {
    for (Device device : working().devices()) {
      for (ProcAddress<?> address : ProcAddresses.all()) {
        device.find(address).ifPresent(found -> assertThat(found).isInstanceOf(address.type()));
        assertThat(device.find(new ProcAddress<>(address.name(), 99, address.type())))
            .as("%s in version 99 of %s", address.name(), device)
            .isEmpty();
      }
      assertThat(device.find(new ProcAddress<>("tck_no_such_thing", 1, Runnable.class))).isEmpty();
    }
  }

  @Test
  void aCapabilityOfAnotherTypeIsRefusedInWords() {
    for (Device device : working().devices()) {
      for (ProcAddress<?> address : ProcAddresses.all()) {
        ProcAddress<Stranger> other =
            new ProcAddress<>(address.name(), address.version(), Stranger.class);
        if (device.find(address).isPresent()) {
          assertRefused(() -> device.find(other), ErrorCode.PLUGIN_FAILED);
        }
      }
    }
  }

  /** What no plugin can have implemented. */
  private interface Stranger {}

  @Test
  void registeringAgainFindsTheSameDevices() {
    List<DeviceInfo> first = working().devices().stream().map(Device::info).toList();
    for (int turn = 0; turn < TURNS; turn++) {
      registrations.close();
      assertThat(working().devices().stream().map(Device::info)).isEqualTo(first);
    }
  }

  @Test
  void threadsEndWithTheRegistration() throws InterruptedException {
    Set<Thread> before = Threads.alive();
    for (int turn = 0; turn < TURNS; turn++) {
      use(working().devices().getFirst());
      registrations.close();
    }
    Set<Thread> left = new HashSet<>();
    boolean gone =
        Threads.eventually(
            patience(),
            () -> {
              left.clear();
              left.addAll(Threads.alive());
              left.removeAll(before);
              left.remove(Thread.currentThread());
              return left.isEmpty();
            });
    assertThat(gone).as("threads that outlive their registration: %s", left).isTrue();
  }

  private void use(Device device) {
    Tensor x = new GraphBuilder().input("x", DataType.F32, Shape.of(256));
    try (Allocation allocation = device.bufferType().allocate(List.of(x));
        Backend backend = device.createBackend()) {
      backend.set(allocation.storage(x), 0, lab().filled(256, 1));
      backend.synchronize();
    } catch (ConsortException e) {
      throw new AssertionError(device + " could not be used: " + e.getMessage(), e);
    }
  }
}
