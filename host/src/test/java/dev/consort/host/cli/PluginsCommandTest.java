// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.consort.host.plugin.PluginJar;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginsCommandTest {
  @TempDir Path folder;

  @Test
  void aListShowsWhatWasLoadedAndItsHash() throws IOException {
    PluginJar.working("toy").write(folder.resolve("toy.jar"));
    Cli cli = Cli.run("plugins", "--plugins", folder.toString(), "-o", "csv");
    assertThat(cli.exit()).isZero();
    assertThat(cli.out()).containsPattern("toy,1\\.2,ACTIVE,1\\.0,toy:0,folder,[0-9a-f]{64},");
    Cli text = Cli.run("plugins", "--plugins", folder.toString());
    assertThat(text.out()).doesNotContainPattern("[0-9a-f]{64}");
  }

  @Test
  void aBundleIsListedAsSuch() throws IOException {
    PluginJar.working("toy").write(folder.resolve("toy.jar"));
    Cli cli = Cli.run("plugins", "--bundles", folder.toString(), "-o", "csv");
    assertThat(cli.out()).contains("toy,1.2,ACTIVE,1.0,toy:0,osgi,");
  }

  @Test
  void aLockAdmitsWhatWasThereAndNothingElse() throws IOException {
    PluginJar.ofVersion("toy", "1").write(folder.resolve("toy.jar"));
    Cli lock = Cli.run("plugins", "lock", "--plugins", folder.toString());
    assertThat(lock.exit()).isZero();
    assertThat(lock.out()).containsPattern("toy +1 +[0-9a-f]{64}");
    assertThat(folder.resolve("plugins.lock")).exists();

    PluginJar.ofVersion("toy", "2").write(folder.resolve("toy.jar"));
    Cli list = Cli.run("plugins", "--plugins", folder.toString());
    assertThat(list.out()).contains("FAILED", "plugins.lock does not list it");

    Cli again = Cli.run("plugins", "lock", "--plugins", folder.toString());
    assertThat(again.out()).contains("changed");
    assertThat(Cli.run("plugins", "--plugins", folder.toString()).out()).contains("ACTIVE");
  }

  @Test
  void aLockIsNotWrittenWhereThereIsNoFolder() {
    Cli cli = Cli.run("plugins", "lock", "--plugins", folder.resolve("gone").toString());
    assertThat(cli.exit()).isEqualTo(3);
    assertThat(cli.err()).contains("gone does not exist");
  }

  @Test
  void watchingTellsEachStep() throws IOException {
    PluginJar.working("toy").write(folder.resolve("toy.jar"));
    Files.writeString(folder.resolve("bad.jar"), "no JAR");
    Cli cli = Cli.run("plugins", "watch", "--seconds", "1", "--plugins", folder.toString());
    assertThat(cli.exit()).isZero();
    assertThat(cli.out())
        .containsSubsequence("toy.jar", "FOUND", "VERIFIED", "RESOLVED", "PROBED", "ACTIVE")
        .containsPattern("bad.jar +1 +FAILED +not a readable JAR file")
        .endsWith("the host was closed\n");
  }
}
