// SPDX-License-Identifier: Apache-2.0
package dev.consort.template;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What this room may see. */
@AnalyzeClasses(
    packages = "dev.consort.template",
    importOptions = ImportOption.DoNotIncludeTests.class)
class RoomTest {
  @ArchTest
  static final ArchRule aPluginSeesApiAndSpi =
      classes()
          .that()
          .resideInAPackage("dev.consort.template..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "org.jspecify..",
              "org.slf4j..",
              "dev.consort.api..",
              "dev.consort.spi..",
              "dev.consort.template..");
}
