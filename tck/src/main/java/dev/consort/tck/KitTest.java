// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.consort.api.ConsortException;
import dev.consort.api.Device;
import dev.consort.api.DeviceKind;
import dev.consort.api.ErrorCode;
import dev.consort.api.ProcAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.opentest4j.TestAbortedException;

/** What the kit's parts have in common: one subject, a lab for each test, no endless waiting. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(Exclusions.class)
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class KitTest {
  private Subject subject;
  private Lab lab;

  /** What is tested; asked for once. */
  protected abstract Subject subject();

  /**
   * How long threads and closed things may take to go; by default long enough for the cleaners of
   * the libraries that plugins use.
   */
  protected Duration patience() {
    return Duration.ofSeconds(40);
  }

  @BeforeAll
  void openSubject() {
    subject = subject();
    openDevice();
  }

  /** Aborts the section where there is no device; one that does without it overrides this. */
  void openDevice() {
    device();
  }

  /** Runs also where {@link #subject()} skipped the whole class. */
  @AfterAll
  void closeSubject() {
    if (subject != null) {
      subject.close();
    }
  }

  @BeforeEach
  void openLab() {
    lab = new Lab();
  }

  @AfterEach
  void closeLab() {
    lab.close();
  }

  final Subject tested() {
    return subject;
  }

  final Declaration declaration() {
    return subject.declaration();
  }

  final Lab lab() {
    return lab;
  }

  final Device device() {
    return subject.device();
  }

  final List<Device> members(int count) {
    return subject.members(count);
  }

  /** The capability; without it the test does not apply. */
  final <T> T capability(ProcAddress<T> address) {
    return device()
        .find(address)
        .orElseThrow(() -> new TestAbortedException(device().info().id() + " has no " + address));
  }

  /** A meta device's objects are its members', so what is asked of one plugin's does not apply. */
  final void skipOnMeta(String reason) {
    if (device().info().kind() == DeviceKind.META) {
      throw new TestAbortedException("a meta device " + reason);
    }
  }

  /** The call must throw one of these, and say something. */
  static void assertRefused(Runnable call, ErrorCode... codes) {
    Throwable thrown = catchThrowable(call::run);
    assertThat(thrown).isInstanceOf(ConsortException.class);
    assertThat(((ConsortException) thrown).code()).isIn((Object[]) codes);
    assertThat(thrown.getMessage()).isNotBlank();
  }
}
