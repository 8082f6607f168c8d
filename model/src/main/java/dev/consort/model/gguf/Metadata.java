// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The keys and values at a file's head, read on demand. Integers of every width answer to {@link
 * #integer}; everything else must have the type that is asked for. Valid as long as the file is
 * open. Thread safe.
 *
 * <p>A getter without a default fails with INVALID_FILE when the key is missing; each fails so when
 * the type is another.
 */
public final class Metadata {
  /** What is read onto the heap is no larger than this, whatever a file says. */
  private static final long MAX_BYTES = 1L << 28;

  private static final int MAX_ELEMENTS = 1 << 24;

  private final String file;
  private final MemorySegment data;
  private final Map<String, MetadataValue> values;

  Metadata(String file, MemorySegment data, Map<String, MetadataValue> values) {
    this.file = file;
    this.data = data;
    this.values = values;
  }

  /** All keys, in the file's order. */
  public Set<String> keys() {
    return values.keySet();
  }

  public boolean has(String key) {
    return values.containsKey(key);
  }

  /** Whether the key is there and holds an array. */
  public boolean isArray(String key) {
    MetadataValue value = values.get(key);
    return value != null && value.isArray();
  }

  public String string(String key) {
    MetadataValue value = single(key, "string");
    require(key, value, value.type() == MetadataType.STRING, "string");
    return stringAt(key, value.position());
  }

  public String string(String key, String otherwise) {
    return has(key) ? string(key) : otherwise;
  }

  public long integer(String key) {
    MetadataValue value = single(key, "integer");
    require(key, value, value.type().isInteger(), "integer");
    return integerAt(value, 0);
  }

  public long integer(String key, long otherwise) {
    return has(key) ? integer(key) : otherwise;
  }

  /** An integer that must lie in {@code [least, most]}. */
  public int integer(String key, int least, int most) {
    return checked(key, integer(key), least, most);
  }

  /** Like {@link #integer(String, int, int)}, with a default. */
  public int integer(String key, int least, int most, int otherwise) {
    return has(key) ? integer(key, least, most) : otherwise;
  }

  /** A floating-point number; an integer serves as one. */
  public float real(String key) {
    MetadataValue value = single(key, "float32");
    return switch (value.type()) {
      case FLOAT32 -> data.get(Layouts.F32, value.position());
      case FLOAT64 -> (float) data.get(Layouts.F64, value.position());
      default -> {
        require(key, value, value.type().isInteger(), "float32");
        yield integerAt(value, 0);
      }
    };
  }

  public float real(String key, float otherwise) {
    return has(key) ? real(key) : otherwise;
  }

  public boolean flag(String key, boolean otherwise) {
    if (!has(key)) {
      return otherwise;
    }
    MetadataValue value = single(key, "bool");
    require(key, value, value.type() == MetadataType.BOOL, "bool");
    return data.get(Layouts.I8, value.position()) != 0;
  }

  public StringArray strings(String key) {
    return new StringArray(data, array(key, MetadataType.STRING));
  }

  public float[] floats(String key) {
    MetadataValue value = array(key, MetadataType.FLOAT32);
    float[] result = new float[(int) value.count()];
    MemorySegment.copy(data, Layouts.F32, value.position(), result, 0, result.length);
    return result;
  }

  /** An array of integers of any width that fit an {@code int}. */
  public int[] integers(String key) {
    MetadataValue value = find(key, "array of int32");
    require(key, value, value.isArray() && value.type().isInteger(), "array of int32");
    requireReadable(key, value);
    int[] result = new int[(int) value.count()];
    if (value.type() == MetadataType.INT32) {
      MemorySegment.copy(data, Layouts.I32, value.position(), result, 0, result.length);
      return result;
    }
    for (int i = 0; i < result.length; i++) {
      result[i] = checked(key, integerAt(value, i), Integer.MIN_VALUE, Integer.MAX_VALUE);
    }
    return result;
  }

  /** The value as text for people; long arrays are cut. */
  public Optional<String> describe(String key) {
    MetadataValue value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    if (value.isArray()) {
      return Optional.of(value.describe());
    }
    return Optional.of(
        switch (value.type()) {
          case STRING -> string(key);
          case BOOL -> String.valueOf(flag(key, false));
          case FLOAT32, FLOAT64 -> String.valueOf(real(key));
          default -> String.valueOf(integer(key));
        });
  }

  MetadataValue value(String key) {
    return find(key, "a value");
  }

  /** The bytes of a value as the file has them, without its type. */
  byte[] stored(String key) {
    MetadataValue value = value(key);
    long bytes =
        value.isArray()
            ? requireReadable(key, value).bytes()
            : value.type() == MetadataType.STRING
                ? Long.BYTES + data.get(Layouts.I64, value.position())
                : value.type().bytes();
    if (bytes > MAX_BYTES) {
      throw invalid(key, "of " + bytes + " bytes", "at most 256 MiB");
    }
    return data.asSlice(value.position(), bytes).toArray(ValueLayout.JAVA_BYTE);
  }

  /** The error for a value that is there but can't be used. */
  public ConsortException invalid(String key, String found, String expected) {
    return new ConsortException(
        ErrorCode.INVALID_FILE,
        "%s: metadata key %s is %s, expected %s; convert the model again"
            .formatted(file, key, found, expected));
  }

  private String stringAt(String key, long position) {
    long length = data.get(Layouts.I64, position);
    if (length > MAX_BYTES) {
      throw invalid(key, "a string of " + length + " bytes", "at most 256 MiB");
    }
    byte[] bytes = data.asSlice(position + Long.BYTES, length).toArray(ValueLayout.JAVA_BYTE);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private int checked(String key, long number, int least, int most) {
    if (number < least || number > most) {
      throw invalid(key, String.valueOf(number), "a number from " + least + " to " + most);
    }
    return (int) number;
  }

  private long integerAt(MetadataValue value, long index) {
    long at = value.position() + index * value.type().bytes();
    return switch (value.type()) {
      case UINT8 -> data.get(Layouts.I8, at) & 0xffL;
      case INT8 -> data.get(Layouts.I8, at);
      case UINT16 -> data.get(Layouts.I16, at) & 0xffffL;
      case INT16 -> data.get(Layouts.I16, at);
      case UINT32 -> data.get(Layouts.I32, at) & 0xffff_ffffL;
      case INT32 -> data.get(Layouts.I32, at);
      default -> data.get(Layouts.I64, at);
    };
  }

  private MetadataValue array(String key, MetadataType type) {
    String expected = "array of " + type;
    MetadataValue value = find(key, expected);
    require(key, value, value.isArray() && value.type() == type, expected);
    return requireReadable(key, value);
  }

  private MetadataValue requireReadable(String key, MetadataValue value) {
    if (value.count() > MAX_ELEMENTS || value.bytes() > MAX_BYTES) {
      throw invalid(
          key,
          "an array of %d elements in %d bytes".formatted(value.count(), value.bytes()),
          "at most %d in %d".formatted(MAX_ELEMENTS, MAX_BYTES));
    }
    return value;
  }

  private MetadataValue single(String key, String expected) {
    MetadataValue value = find(key, expected);
    require(key, value, !value.isArray(), expected);
    return value;
  }

  private MetadataValue find(String key, String expected) {
    MetadataValue value = values.get(key);
    if (value == null) {
      throw new ConsortException(
          ErrorCode.INVALID_FILE,
          "%s: metadata key %s is missing, expected %s; convert the model again"
              .formatted(file, key, expected));
    }
    return value;
  }

  private void require(String key, MetadataValue value, boolean holds, String expected) {
    if (!holds) {
      throw invalid(key, "of type " + value.describe(), "type " + expected);
    }
  }
}
