// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.consort.api.ConsortException;
import dev.consort.api.DeviceInfo;
import dev.consort.api.DeviceKind;
import dev.consort.api.DeviceMemory;
import dev.consort.api.ErrorCode;
import dev.consort.host.matrix.Group;
import dev.consort.host.matrix.Matrix;
import dev.consort.host.matrix.MatrixPlugin;
import dev.consort.host.matrix.cell.Cell;
import dev.consort.host.matrix.cell.CellState;
import dev.consort.host.matrix.cell.Depth;
import dev.consort.host.matrix.cell.Probe;
import dev.consort.host.matrix.cell.Section;
import dev.consort.host.matrix.cell.Target;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** A matrix as JSON, in the schema of docs/matrix.md. */
public final class MatrixJson {
  /** Name and major version; what is added later does not change it. */
  public static final String SCHEMA = "consort-matrix/1";

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final double MILLI = 1e6;

  private MatrixJson() {}

  /** The JSON text. */
  public static String write(Matrix matrix) {
    ObjectNode root = MAPPER.createObjectNode();
    root.put("schema", SCHEMA);
    root.put("created", matrix.created().toString());
    root.putObject("machine")
        .put("host", matrix.machine().host())
        .put("java", matrix.machine().java())
        .put("system", matrix.machine().system())
        .put("processors", matrix.machine().processors());
    root.put("depth", matrix.depth().label());
    root.put("coverage", matrix.coverage().name().toLowerCase(Locale.ROOT));
    ArrayNode plugins = root.putArray("plugins");
    for (MatrixPlugin plugin : matrix.plugins()) {
      plugins
          .addObject()
          .put("name", plugin.name())
          .put("version", plugin.version())
          .put("state", plugin.state())
          .put("reason", plugin.reason())
          .put("origin", plugin.origin())
          .put("sha256", plugin.sha256());
    }
    ArrayNode devices = root.putArray("devices");
    for (Probe device : matrix.devices()) {
      DeviceInfo info = device.info();
      devices
          .addObject()
          .put("id", info.id())
          .put("plugin", info.plugin())
          .put("index", info.index())
          .put("name", info.name())
          .put("kind", info.kind().name().toLowerCase(Locale.ROOT))
          .put("software", info.software())
          .put("driver", info.driver())
          .put("arithmetic_class", info.arithmeticClass())
          .put("free_bytes", device.memory().free())
          .put("total_bytes", device.memory().total())
          .put("origin", device.origin());
    }
    ArrayNode targets = root.putArray("targets");
    for (Target target : matrix.targets()) {
      ObjectNode node = targets.addObject().put("name", target.name());
      target.members().forEach(node.putArray("members")::add);
      target.shares().forEach(node.putArray("shares")::add);
    }
    ArrayNode groups = root.putArray("groups");
    matrix.groups().forEach(group -> write(group, groups.addObject()));
    return root.toPrettyString() + "\n";
  }

  private static void write(Group group, ObjectNode node) {
    node.put("section", group.section().label());
    node.put("target", group.target());
    node.put("source", group.source().name().toLowerCase(Locale.ROOT));
    node.put("ms", group.time().toMillis());
    ArrayNode cells = node.putArray("cells");
    for (Cell cell : group.cells()) {
      cells
          .addObject()
          .put("row", cell.row())
          .put("state", cell.state().label())
          .put("detail", cell.detail())
          .put("ms", Math.round(cell.time().toNanos() / MILLI * 1000) / 1000.0);
    }
  }

  /**
   * Reads a file.
   *
   * @throws ConsortException NOT_FOUND, IO; INVALID_FILE if it is of another schema
   */
  public static Matrix read(Path file) {
    try {
      return read(MAPPER.readTree(Files.readString(file)));
    } catch (JsonProcessingException | IllegalArgumentException e) {
      throw new ConsortException(
          ErrorCode.INVALID_FILE,
          "%s is no matrix in JSON (%s); name a file that consort matrix -o FILE.json wrote"
              .formatted(file, e.getMessage()),
          e);
    } catch (IOException e) {
      throw new ConsortException(
          Files.exists(file) ? ErrorCode.IO : ErrorCode.NOT_FOUND,
          "%s can't be read: %s".formatted(file, e),
          e);
    }
  }

  private static Matrix read(JsonNode root) {
    String schema = root.path("schema").asText();
    if (!schema.equals(SCHEMA)) {
      throw new IllegalArgumentException(
          "its schema is \"%s\", expected %s".formatted(schema, SCHEMA));
    }
    JsonNode machine = root.required("machine");
    return new Matrix(
        Instant.parse(root.required("created").asText()),
        new Matrix.Machine(
            machine.path("host").asText(),
            machine.path("java").asText(),
            machine.path("system").asText(),
            machine.path("processors").asInt()),
        Depth.valueOf(upper(root, "depth")),
        Matrix.Coverage.valueOf(upper(root, "coverage")),
        list(root, "plugins", MatrixJson::plugin),
        list(root, "devices", MatrixJson::device),
        list(root, "targets", MatrixJson::target),
        list(root, "groups", MatrixJson::group));
  }

  private static <T> List<T> list(JsonNode node, String name, Function<JsonNode, T> element) {
    List<T> all = new ArrayList<>();
    node.required(name).forEach(each -> all.add(element.apply(each)));
    return all;
  }

  private static String upper(JsonNode node, String name) {
    return node.required(name).asText().toUpperCase(Locale.ROOT);
  }

  private static MatrixPlugin plugin(JsonNode node) {
    return new MatrixPlugin(
        node.required("name").asText(),
        node.path("version").asText(),
        node.required("state").asText(),
        node.path("reason").asText(),
        node.path("origin").asText(),
        node.path("sha256").asText());
  }

  private static Probe device(JsonNode node) {
    return new Probe(
        new DeviceInfo(
            node.required("plugin").asText(),
            node.required("index").asInt(),
            node.path("name").asText(),
            DeviceKind.valueOf(upper(node, "kind")),
            node.path("software").asBoolean(),
            node.path("driver").asText(),
            node.path("arithmetic_class").asText()),
        new DeviceMemory(node.path("free_bytes").asLong(), node.path("total_bytes").asLong()),
        node.path("origin").asText());
  }

  private static Target target(JsonNode node) {
    return new Target(
        node.required("name").asText(),
        list(node, "members", JsonNode::asText),
        list(node, "shares", JsonNode::asDouble));
  }

  private static Group group(JsonNode node) {
    Section section = Section.valueOf(upper(node, "section"));
    String target = node.required("target").asText();
    return new Group(
        section,
        target,
        list(node, "cells", cell -> cell(section, target, cell)),
        Duration.ofMillis(node.path("ms").asLong()),
        Group.Source.valueOf(upper(node, "source")));
  }

  private static Cell cell(Section section, String target, JsonNode node) {
    return new Cell(
        section,
        node.required("row").asText(),
        target,
        CellState.valueOf(upper(node, "state")),
        node.path("detail").asText(),
        Duration.ofNanos(Math.round(node.path("ms").asDouble() * MILLI)));
  }
}
