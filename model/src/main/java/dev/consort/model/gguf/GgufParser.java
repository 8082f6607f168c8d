// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import dev.consort.api.ConsortException;
import dev.consort.api.DataType;
import dev.consort.api.ErrorCode;
import dev.consort.api.Shape;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads one GGUF file's head and checks all of it, trusting no number in it. Heap use is bounded by
 * a small multiple of the head's size.
 *
 * <p>Layout: the format's specification in ggml's {@code docs/gguf.md}.
 */
final class GgufParser {
  static final int MAGIC = 0x46554747;
  static final int VERSION = 3;
  static final String ALIGNMENT_KEY = "general.alignment";
  static final int DEFAULT_ALIGNMENT = 32;
  static final int MAX_KEY = 1_024;
  static final int MAX_NAME = 1_024;
  private static final int MAX_KEYS = 1 << 16;
  private static final int MAX_TENSORS = 1 << 18;
  private static final int MAX_ALIGNMENT = 1 << 20;
  private static final int KEY_VALUE_BYTES = 8 + 4 + 1;
  private static final int TENSOR_BYTES = 8 + 4 + 8 + 4 + 8;

  private final Cursor in;

  private GgufParser(Cursor in) {
    this.in = in;
  }

  /** One parsed file. */
  record Parsed(Metadata metadata, List<GgufTensor> tensors) {}

  private record Info(String name, DataType type, Shape shape, long offset, long bytes) {}

  /**
   * Parses the bytes of one file.
   *
   * @param file how errors name it
   * @throws ConsortException INVALID_FILE or UNSUPPORTED, saying what is wrong where
   */
  static Parsed parse(String file, MemorySegment bytes) {
    return new GgufParser(new Cursor(file, bytes)).parse();
  }

  private Parsed parse() {
    header();
    long tensorCount = in.count("the number of tensors", TENSOR_BYTES, MAX_TENSORS);
    long keyCount = in.count("the number of metadata keys", KEY_VALUE_BYTES, MAX_KEYS);
    var values = new LinkedHashMap<String, MetadataValue>();
    for (long i = 0; i < keyCount; i++) {
      keyValue(values);
    }
    var metadata = new Metadata(in.file(), in.data(), values);
    List<Info> infos = infos(tensorCount);
    return new Parsed(metadata, place(infos, alignment(metadata)));
  }

  private void header() {
    if (in.remaining() < 4) {
      throw notGguf("the file has " + in.remaining() + " bytes");
    }
    int magic = in.i32("the magic number");
    if (magic != MAGIC) {
      throw notGguf("the first four bytes are %08x".formatted(Integer.reverseBytes(magic)));
    }
    int version = in.i32("the version");
    if ((version & 0xffff) == 0 && version != 0) {
      throw unsupported(
          "the file is big-endian, expected little-endian; convert the model for this byte order");
    }
    if (version < 2 || version > VERSION) {
      throw unsupported(
          "found GGUF version %s, expected 2 or 3; convert the model again"
              .formatted(Integer.toUnsignedString(version)));
    }
  }

  private void keyValue(Map<String, MetadataValue> values) {
    String key = in.string("a metadata key", MAX_KEY);
    MetadataType type = type(key);
    MetadataValue value;
    if (type == MetadataType.ARRAY) {
      MetadataType element = type(key);
      if (element == MetadataType.ARRAY) {
        throw unsupported(
            "metadata key " + key + " is an array of arrays, which no model needs; convert it");
      }
      value = array(key, element);
    } else {
      value = new MetadataValue(type, false, 1, in.position(), 0);
      skip(type, key);
    }
    if (values.put(key, value) != null) {
      throw in.invalid("metadata key " + key + " is there twice");
    }
  }

  private MetadataValue array(String key, MetadataType element) {
    long bytesEach = Math.max(element.bytes(), element == MetadataType.STRING ? 8 : 1);
    String what = "the array length of " + key;
    long count = in.count(what, bytesEach);
    if (count > Integer.MAX_VALUE - 8) {
      throw in.invalid(what + " is " + count);
    }
    long start = in.position();
    if (element == MetadataType.STRING) {
      in.skipStrings(count, key);
      if (in.position() - start > Integer.MAX_VALUE - 8) {
        throw in.invalid("the strings of " + key + " take more than 2 GiB");
      }
    } else {
      in.skip(count * element.bytes(), key);
    }
    return new MetadataValue(element, true, count, start, in.position() - start);
  }

  private MetadataType type(String key) {
    int number = in.i32("the type of metadata key " + key);
    return MetadataType.of(number)
        .orElseThrow(
            () ->
                in.invalid(
                    "metadata key %s has type %s, expected 0 to 12"
                        .formatted(key, Integer.toUnsignedString(number))));
  }

  private void skip(MetadataType type, String key) {
    if (type == MetadataType.STRING) {
      in.skipString(key);
    } else {
      in.skip(type.bytes(), key);
    }
  }

  private int alignment(Metadata metadata) {
    long alignment = metadata.integer(ALIGNMENT_KEY, DEFAULT_ALIGNMENT);
    if (alignment < 1 || alignment > MAX_ALIGNMENT || Long.bitCount(alignment) != 1) {
      throw in.invalid(
          "%s is %d, expected a power of two up to %d"
              .formatted(ALIGNMENT_KEY, alignment, MAX_ALIGNMENT));
    }
    return (int) alignment;
  }

  private List<Info> infos(long count) {
    List<Info> infos = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (long i = 0; i < count; i++) {
      Info info = info();
      if (!names.add(info.name())) {
        throw in.invalid("tensor " + info.name() + " is there twice");
      }
      infos.add(info);
    }
    return infos;
  }

  private Info info() {
    String name = in.string("a tensor name", MAX_NAME);
    int axes = in.i32("the number of axes of " + name);
    if (axes < 1 || axes > Shape.AXES) {
      throw in.invalid(
          "tensor %s has %s axes, expected 1 to 4".formatted(name, Integer.toUnsignedString(axes)));
    }
    long[] ne = {1, 1, 1, 1};
    for (int axis = 0; axis < axes; axis++) {
      ne[axis] = in.i64("the extents of " + name);
    }
    int number = in.i32("the type of " + name);
    long offset = in.i64("the offset of " + name);
    DataType type = dataType(name, number);
    return new Info(name, type, shape(name, ne), offset, bytes(name, type, ne));
  }

  private Shape shape(String name, long[] ne) {
    long elements = 1;
    for (long extent : ne) {
      if (extent < 1 || extent > Long.MAX_VALUE / elements) {
        throw in.invalid(
            "tensor %s has shape %s, expected extents of at least 1 and a size that can exist"
                .formatted(name, Arrays.toString(ne)));
      }
      elements *= extent;
    }
    return Shape.of(ne[0], ne[1], ne[2], ne[3]);
  }

  private DataType dataType(String name, int number) {
    for (DataType type : DataType.values()) {
      if (type.ggufId() == number) {
        return type;
      }
    }
    String known =
        String.join(", ", Arrays.stream(DataType.values()).map(DataType::label).toList());
    throw unsupported(
        "tensor %s has type number %s, which is unknown here, expected one of %s; %s"
            .formatted(
                name, Integer.toUnsignedString(number), known, "quantise it to one of these"));
  }

  private long bytes(String name, DataType type, long[] ne) {
    shape(name, ne);
    if (ne[0] % type.blockElements() != 0) {
      throw in.invalid(
          "tensor %s of type %s has rows of %d elements, expected a multiple of %d"
              .formatted(name, type.label(), ne[0], type.blockElements()));
    }
    long blocks = ne[0] / type.blockElements() * ne[1] * ne[2] * ne[3];
    if (blocks > Long.MAX_VALUE / type.blockBytes()) {
      throw in.invalid("tensor %s has %d blocks, more than can exist".formatted(name, blocks));
    }
    return blocks * type.blockBytes();
  }

  private List<GgufTensor> place(List<Info> infos, int alignment) {
    long padded = (in.position() + alignment - 1) & -alignment;
    long available = Math.max(0, in.data().byteSize() - padded);
    for (Info info : infos) {
      check(info, alignment, padded, available);
    }
    List<Info> sorted = new ArrayList<>(infos);
    sorted.sort(Comparator.comparingLong(Info::offset));
    for (int i = 1; i < sorted.size(); i++) {
      Info before = sorted.get(i - 1);
      if (before.offset() + before.bytes() > sorted.get(i).offset()) {
        throw in.invalid(
            "tensors %s and %s overlap".formatted(before.name(), sorted.get(i).name()));
      }
    }
    List<GgufTensor> tensors = new ArrayList<>(infos.size());
    for (Info info : infos) {
      MemorySegment data = in.data().asSlice(padded + info.offset(), info.bytes());
      tensors.add(new GgufTensor(info.name(), info.type(), info.shape(), data));
    }
    return tensors;
  }

  private void check(Info info, int alignment, long padded, long available) {
    if (info.offset() < 0 || info.offset() % alignment != 0) {
      throw in.invalid(
          "tensor %s has offset %s, expected a multiple of %d"
              .formatted(info.name(), Long.toUnsignedString(info.offset()), alignment));
    }
    if (info.offset() > available || info.bytes() > available - info.offset()) {
      throw in.invalid(
          "truncated: tensor %s takes %d bytes from byte %s, but the file ends at byte %d"
              .formatted(
                  info.name(),
                  info.bytes(),
                  Long.toUnsignedString(padded + info.offset()),
                  in.data().byteSize()));
    }
  }

  private ConsortException notGguf(String found) {
    return new ConsortException(
        ErrorCode.INVALID_FILE,
        "%s: %s, expected 47475546 (\"GGUF\"); this is no GGUF file, give one or convert the model"
            .formatted(in.file(), found));
  }

  private ConsortException unsupported(String what) {
    return new ConsortException(ErrorCode.UNSUPPORTED, in.file() + ": " + what);
  }
}
