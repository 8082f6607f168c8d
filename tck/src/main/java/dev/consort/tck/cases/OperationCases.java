// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck.cases;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** All cases. */
public final class OperationCases {
  private OperationCases() {}

  /** One operation each, every type and shape class. */
  public static List<OperationCase> single() {
    List<OperationCase> cases = new ArrayList<>();
    cases.addAll(MatrixCases.all());
    cases.addAll(RowCases.all());
    cases.addAll(ElementCases.all());
    cases.addAll(AttentionCases.all());
    return unique(cases);
  }

  /** Leaves with declared shards. */
  public static List<OperationCase> sharded() {
    return unique(ShardedCases.all());
  }

  private static List<OperationCase> unique(List<OperationCase> cases) {
    Map<String, OperationCase> seen = new HashMap<>();
    for (OperationCase one : cases) {
      if (seen.put(one.name(), one) != null) {
        throw new IllegalStateException("two cases are named " + one.name());
      }
    }
    return List.copyOf(cases);
  }
}
