// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.matrix.cell;

import java.util.Locale;

/** A part of the matrix. */
public enum Section {
  /** Optional capabilities: which proc addresses are there, and what the host does without. */
  CAPS("Capabilities"),
  /** Operations with types, against the kit's scalar reference. */
  OPS("Operations"),
  /** The logits of whole models. */
  MODELS("Models"),
  /** Sums over members: right, and the same bits on all. */
  COLLECTIVES("Collectives");

  private final String title;

  Section(String title) {
    this.title = title;
  }

  /** For people. */
  public String title() {
    return title;
  }

  /** For programs. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
