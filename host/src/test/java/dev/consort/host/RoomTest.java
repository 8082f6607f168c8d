// SPDX-License-Identifier: Apache-2.0
package dev.consort.host;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What this room may see. */
@AnalyzeClasses(packages = "dev.consort.host", importOptions = ImportOption.DoNotIncludeTests.class)
class RoomTest {
  private static final String[] SEEN = {
    "java..",
    "com.sun.management..",
    "org.jspecify..",
    "org.slf4j..",
    "ch.qos.logback..",
    "picocli..",
    "me.tongfei.progressbar..",
    "com.fasterxml.jackson..",
    "org.jline..",
    "org.osgi..",
    "com.hubspot.jinjava..",
    "jinjava..",
    "dev.consort.api..",
    "dev.consort.spi..",
    "dev.consort.model..",
    "dev.consort.host.."
  };
  private static final String[] FORKS = {
    "dev.consort.host.matrix.cell..", "dev.consort.host.verify.fork.."
  };

  @ArchTest
  static final ArchRule theHostSeesAllButPluginsAndTheKit =
      classes()
          .that()
          .resideInAPackage("dev.consort.host..")
          .and()
          .resideOutsideOfPackages(FORKS)
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(SEEN);

  @ArchTest
  static final ArchRule onlyForkedJvmsSeeTheKit =
      classes()
          .that()
          .resideInAnyPackage(FORKS)
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(SEEN)
                  .or(resideInAnyPackage("dev.consort.tck..", "org.opentest4j..")));
}
