// SPDX-License-Identifier: Apache-2.0
package dev.consort.template;

import dev.consort.api.DataType;
import dev.consort.tck.ConformanceTest;
import dev.consort.tck.Declaration;
import dev.consort.tck.Subject;
import java.util.List;

/** The conformance kit on the plugin. */
class TemplateConformanceTest extends ConformanceTest {
  private static final List<String> OPERATIONS =
      List.of(
          "mat_mul",
          "add",
          "sub",
          "mul",
          "div",
          "scale",
          "silu",
          "gelu",
          "gelu_quick",
          "relu",
          "sigmoid",
          "tanh",
          "exp",
          "neg",
          "copy");

  @Override
  protected Subject subject() {
    return Subject.of(TemplateProvider::new, declaration());
  }

  /** What must work, in every type. */
  private static Declaration declaration() {
    return Declaration.operations(OPERATIONS, List.of(DataType.values()));
  }
}
