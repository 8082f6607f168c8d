// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.consort.api.Experimental;
import dev.consort.api.Stable;

/** What the API, the SPI and the kit may see. */
@AnalyzeClasses(packages = "dev.consort", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule theApiSeesNothing =
      classes()
          .that()
          .resideInAPackage("dev.consort.api..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("java..", "org.jspecify..", "dev.consort.api..");

  @ArchTest
  static final ArchRule everyPublicTypeSaysHowStableItIs =
      classes()
          .that()
          .resideInAnyPackage("dev.consort.api..", "dev.consort.spi..")
          .and()
          .arePublic()
          .and()
          .areTopLevelClasses()
          .should()
          .beAnnotatedWith(Stable.class)
          .orShould()
          .beAnnotatedWith(Experimental.class);

  @ArchTest
  static final ArchRule theSpiSeesTheApi =
      classes()
          .that()
          .resideInAPackage("dev.consort.spi..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..", "org.jspecify..", "org.slf4j..", "dev.consort.api..", "dev.consort.spi..");

  @ArchTest
  static final ArchRule theKitSeesApiAndSpi =
      classes()
          .that()
          .resideInAPackage("dev.consort.tck..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "org.jspecify..",
              "org.junit..",
              "org.opentest4j..",
              "org.assertj..",
              "dev.consort.api..",
              "dev.consort.spi..",
              "dev.consort.tck..");

  @ArchTest
  static final ArchRule roomsHaveNoCycles =
      slices().matching("dev.consort.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule packagesOfTheKitHaveNoCycles =
      slices().matching("dev.consort.tck.(**)").should().beFreeOfCycles();
}
