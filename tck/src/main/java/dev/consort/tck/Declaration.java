// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.api.DataType;
import dev.consort.spi.BackendProvider;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a device declares to support: operations by label, each with types. For operations with a
 * weight, table or state the type is that one's, for attention the cache's, for copies the
 * source's; for all others it is F32. What is declared must work; what is not may answer {@code
 * supports} with no, and must work where it answers yes.
 */
public final class Declaration {
  /** Every operation there is, as {@code Operation.label()} gives them. */
  public static final List<String> OPERATIONS =
      List.of(
          "mat_mul",
          "mat_mul_id",
          "get_rows",
          "set_rows",
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
          "swiglu",
          "geglu",
          "reglu",
          "swiglu_limited",
          "rms_norm",
          "rope",
          "attention",
          "soft_max",
          "top_k",
          "sum",
          "clamp",
          "copy");

  /**
   * Tests that must not pass.
   *
   * @param cases part of their names: of an operation case's, or of {@code Section.method}
   * @param kind for good, or for now
   * @param reason why, for people
   */
  public record Exclusion(String cases, Kind kind, String reason) {
    /** What an exclusion says of the tests that it names. */
    public enum Kind {
      /** Permanent: the device does not do this. A wrong result is a failure all the same. */
      UNSUPPORTED("unsupported"),
      /** A defect that is known: the test fails. The list of these is meant to shrink. */
      EXPECTED_FAILURE("expected failure");

      private final String label;

      Kind(String label) {
        this.label = label;
      }

      /** As reports have it. */
      public String label() {
        return label;
      }
    }

    public Exclusion {
      if (cases.isBlank() || reason.isBlank()) {
        throw new IllegalArgumentException(
            "found exclusion \"%s\" because \"%s\", expected a part of names and a reason"
                .formatted(cases, reason));
      }
    }
  }

  private final Map<String, Set<DataType>> types;
  private final List<Exclusion> exclusions;

  private Declaration(Map<String, Set<DataType>> types, List<Exclusion> exclusions) {
    this.types = types;
    this.exclusions = exclusions;
  }

  /**
   * Where a plugin named {@code fast} keeps what it declares in its JAR: {@code fast.declaration}.
   */
  public static final String FOLDER = "META-INF/consort/";

  /**
   * What a plugin declares in its JAR, or nothing if that is silent. See {@code
   * docs/conformance.md} for the format.
   */
  public static Declaration of(BackendProvider provider) {
    String file = FOLDER + provider.name() + ".declaration";
    try (InputStream in = provider.getClass().getClassLoader().getResourceAsStream(file)) {
      return in == null
          ? nothing()
          : DeclarationFile.parse(file, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Nothing. */
  public static Declaration nothing() {
    return new Declaration(Map.of(), List.of());
  }

  /** Every operation and every type. */
  public static Declaration everything() {
    return operations(OPERATIONS, EnumSet.allOf(DataType.class));
  }

  /** All these operations, with all these types and F32. */
  public static Declaration operations(Collection<String> labels, Collection<DataType> ofTypes) {
    Declaration all = nothing();
    for (String label : labels) {
      all = all.with(label, ofTypes);
    }
    return all;
  }

  /** This and one more operation, with these types and F32. */
  public Declaration with(String label, Collection<DataType> ofTypes) {
    if (!OPERATIONS.contains(label)) {
      throw new IllegalArgumentException(
          "found operation " + label + ", expected one of " + OPERATIONS);
    }
    Set<DataType> set = EnumSet.of(DataType.F32);
    set.addAll(ofTypes);
    Map<String, Set<DataType>> more = new HashMap<>(types);
    more.put(label, set);
    return new Declaration(more, exclusions);
  }

  /** This without tests whose names contain a text. One that passes all the same fails the run. */
  public Declaration exclude(String cases, Exclusion.Kind kind, String reason) {
    List<Exclusion> more = new ArrayList<>(exclusions);
    more.add(new Exclusion(cases, kind, reason));
    return new Declaration(types, more);
  }

  /** Whether an operation is declared in some type. */
  public boolean declares(String label) {
    return types.containsKey(label);
  }

  public boolean declares(String label, DataType type) {
    return types.getOrDefault(label, Set.of()).contains(type);
  }

  /** The first exclusion that names a test. */
  public Optional<Exclusion> exclusion(String testName) {
    return exclusions.stream().filter(e -> testName.contains(e.cases())).findFirst();
  }
}
