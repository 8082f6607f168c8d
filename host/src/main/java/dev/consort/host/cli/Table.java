// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Rows under named columns; a value is a String, a Long, an Integer or a Double. */
final class Table {
  private final List<String> columns;
  private final List<Map<String, Object>> rows = new ArrayList<>();

  Table(String... columns) {
    this.columns = List.of(columns);
  }

  List<String> columns() {
    return columns;
  }

  List<Map<String, Object>> rows() {
    return rows;
  }

  /** Adds a row and returns it, the values in the order of the columns. */
  Map<String, Object> add(Object... values) {
    if (values.length != columns.size()) {
      throw new IllegalArgumentException(
          values.length + " values for " + columns.size() + " columns");
    }
    Map<String, Object> row = new LinkedHashMap<>();
    for (int i = 0; i < values.length; i++) {
      row.put(columns.get(i), values[i]);
    }
    rows.add(row);
    return row;
  }
}
