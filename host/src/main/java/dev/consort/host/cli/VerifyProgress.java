// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import dev.consort.host.verify.VerifyListener;
import dev.consort.host.verify.VerifyResult;
import dev.consort.host.verify.VerifyState;
import java.util.Locale;

/** A bar for a person, and each failure as it comes for everybody. */
final class VerifyProgress implements VerifyListener, AutoCloseable {
  private final Console console;
  private final Bar.Lazy bar;
  private int total = 1;
  private int done;
  private String section = "";

  VerifyProgress(Console console) {
    this.console = console;
    this.bar = new Bar.Lazy(console, "verify");
  }

  @Override
  public void planned(String plugin, String device, int tests) {
    total = tests;
    console.say("%s, %s", plugin, device);
  }

  @Override
  public void started(String in, String test) {
    if (!section.equals(in)) {
      section = in;
      if (console.progress() == Console.Progress.NONE) {
        console.say("%s ...", in);
      }
    }
  }

  @Override
  public void finished(VerifyResult result) {
    done++;
    bar.at(Math.min(done, total), total);
    if (result.state() == VerifyState.FAILED || result.state() == VerifyState.CRASHED) {
      console.say(
          "%s: %s %s",
          result.state().label().toUpperCase(Locale.ROOT), result.section(), result.test());
    }
  }

  @Override
  public void close() {
    bar.close();
  }
}
