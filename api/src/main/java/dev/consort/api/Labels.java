// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

/** Names of operations in tables and messages, made once a class: {@code MatMul} is mat_mul. */
final class Labels {
  private static final ClassValue<String> ALL =
      new ClassValue<>() {
        @Override
        protected String computeValue(Class<?> type) {
          var label = new StringBuilder();
          for (char c : type.getSimpleName().toCharArray()) {
            if (Character.isUpperCase(c) && !label.isEmpty()) {
              label.append('_');
            }
            label.append(Character.toLowerCase(c));
          }
          return label.toString();
        }
      };

  private Labels() {}

  static String of(Operation operation) {
    return ALL.get(operation.getClass());
  }
}
