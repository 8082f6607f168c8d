// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What this room may see. */
@AnalyzeClasses(packages = "dev.consort.cuda", importOptions = ImportOption.DoNotIncludeTests.class)
class RoomTest {
  @ArchTest
  static final ArchRule aPluginSeesApiAndSpi =
      classes()
          .that()
          .resideInAPackage("dev.consort.cuda..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "org.jspecify..",
              "org.slf4j..",
              "jcuda..",
              "dev.consort.api..",
              "dev.consort.spi..",
              "dev.consort.cuda..");
}
