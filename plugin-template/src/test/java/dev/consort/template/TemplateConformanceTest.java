// SPDX-License-Identifier: Apache-2.0
package dev.consort.template;

import dev.consort.tck.ConformanceTest;
import dev.consort.tck.Declaration;
import dev.consort.tck.Subject;

/** The conformance kit on the plugin, with what its JAR declares. */
class TemplateConformanceTest extends ConformanceTest {
  @Override
  protected Subject subject() {
    return Subject.of(TemplateProvider::new, Declaration.of(new TemplateProvider()));
  }
}
