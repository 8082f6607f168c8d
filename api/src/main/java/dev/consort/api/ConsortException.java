// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import org.jspecify.annotations.Nullable;

/**
 * The one exception of the framework: a code for programs, and for people what was found, what was
 * expected and what to do, with the plugin, device and operation where they are known.
 */
@Stable(since = "1.0")
public final class ConsortException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;
  private final String plugin;
  private final String device;
  private final String operation;

  public ConsortException(ErrorCode code, String message) {
    this(of(code, message));
  }

  public ConsortException(ErrorCode code, String message, Throwable cause) {
    this(of(code, message).cause(cause));
  }

  private ConsortException(Builder builder) {
    super(builder.text(), builder.cause);
    this.code = builder.code;
    this.plugin = builder.plugin;
    this.device = builder.device;
    this.operation = builder.operation;
  }

  public static Builder of(ErrorCode code, String message) {
    return new Builder(code, message);
  }

  public ErrorCode code() {
    return code;
  }

  /** The plugin's name, or an empty string. */
  public String plugin() {
    return plugin;
  }

  /** The device's id such as {@code vulkan:1}, or an empty string. */
  public String device() {
    return device;
  }

  /** The operation's label, or an empty string. */
  public String operation() {
    return operation;
  }

  /** Collects what is known about an error. */
  public static final class Builder {
    private final ErrorCode code;
    private final String message;
    private String plugin = "";
    private String device = "";
    private String operation = "";
    private @Nullable Throwable cause;

    private Builder(ErrorCode code, String message) {
      this.code = code;
      this.message = message;
    }

    public Builder plugin(String name) {
      plugin = name;
      return this;
    }

    public Builder device(Device of) {
      plugin = of.info().plugin();
      device = of.info().id();
      return this;
    }

    public Builder operation(String label) {
      operation = label;
      return this;
    }

    public Builder cause(Throwable by) {
      cause = by;
      return this;
    }

    public ConsortException build() {
      return new ConsortException(this);
    }

    private String text() {
      String where = device.isEmpty() ? plugin : device;
      String at =
          operation.isEmpty() ? where : where.isEmpty() ? operation : where + " " + operation;
      return at.isEmpty() ? message : at + ": " + message;
    }
  }
}
