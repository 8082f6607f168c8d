// SPDX-License-Identifier: Apache-2.0
package dev.consort.model;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What this room may see. */
@AnalyzeClasses(
    packages = "dev.consort.model",
    importOptions = ImportOption.DoNotIncludeTests.class)
class RoomTest {
  @ArchTest
  static final ArchRule aModelSeesTheApi =
      classes()
          .that()
          .resideInAPackage("dev.consort.model..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..", "org.jspecify..", "dev.consort.api..", "dev.consort.model..");
}
