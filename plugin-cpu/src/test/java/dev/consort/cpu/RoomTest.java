// SPDX-License-Identifier: Apache-2.0
package dev.consort.cpu;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What this room may see. */
@AnalyzeClasses(packages = "dev.consort.cpu", importOptions = ImportOption.DoNotIncludeTests.class)
class RoomTest {
  @ArchTest
  static final ArchRule aPluginSeesApiAndSpi =
      classes()
          .that()
          .resideInAPackage("dev.consort.cpu..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "jdk.incubator.vector..",
              "org.jspecify..",
              "org.slf4j..",
              "dev.consort.api..",
              "dev.consort.spi..",
              "dev.consort.cpu..");
}
