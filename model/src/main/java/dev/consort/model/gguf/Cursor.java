// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * Walks over a file's bytes; nothing is read or allocated before it is known to be there. Small
 * reads go through a window of plain bytes, which is several times faster than mapped memory while
 * the JVM is still interpreting, that is, always when a file is opened.
 */
final class Cursor {
  private static final int WINDOW = 1 << 16;

  private final String file;
  private final MemorySegment data;
  private final byte[] window = new byte[WINDOW];
  private long windowStart;
  private int windowLength;
  private long position;

  Cursor(String file, MemorySegment data) {
    this.file = file;
    this.data = data;
  }

  String file() {
    return file;
  }

  MemorySegment data() {
    return data;
  }

  long position() {
    return position;
  }

  long remaining() {
    return data.byteSize() - position;
  }

  int u8(String what) {
    return window[scalar(1, what)] & 0xff;
  }

  int i32(String what) {
    return PlainBytes.i32(window, scalar(4, what));
  }

  long i64(String what) {
    return PlainBytes.i64(window, scalar(8, what));
  }

  /** A number of things that take at least {@code bytesEach} bytes of the rest of the file. */
  long count(String what, long bytesEach) {
    long at = position;
    long count = i64(what);
    if (count < 0 || count > remaining() / bytesEach) {
      throw invalid(
          "%s at byte %d is %s, but only %d bytes follow, room for %d at most"
              .formatted(
                  what, at, Long.toUnsignedString(count), remaining(), remaining() / bytesEach));
    }
    return count;
  }

  /**
   * Like {@link #count(String, long)}, for things that no sound file has more than {@code most} of.
   */
  long count(String what, long bytesEach, long most) {
    long count = count(what, bytesEach);
    if (count > most) {
      throw invalid("%s is %d, expected at most %d".formatted(what, count, most));
    }
    return count;
  }

  String string(String what, int most) {
    long length = count("the length of " + what, 1, most);
    byte[] bytes = new byte[(int) length];
    MemorySegment.copy(data, Layouts.I8, take(length, what), bytes, 0, bytes.length);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Steps over a string without decoding it. */
  void skipString(String what) {
    skip(count("the length of " + what, 1), what);
  }

  void skip(long bytes, String what) {
    take(bytes, what);
  }

  ConsortException invalid(String found) {
    return new ConsortException(
        ErrorCode.INVALID_FILE,
        "%s: %s; the file is damaged or incomplete, fetch or convert it again"
            .formatted(file, found));
  }

  /** The place in the window of a scalar that is stepped over. */
  private int scalar(int bytes, String what) {
    long at = take(bytes, what);
    if (at < windowStart || at + bytes > windowStart + windowLength) {
      windowStart = at;
      windowLength = (int) Math.min(WINDOW, data.byteSize() - at);
      MemorySegment.copy(data, Layouts.I8, at, window, 0, windowLength);
    }
    return (int) (at - windowStart);
  }

  /** Steps over strings whose number is known to fit. */
  void skipStrings(long count, String what) {
    for (long i = 0; i < count; i++) {
      long length = i64(what);
      if (length < 0 || length > remaining()) {
        position -= Long.BYTES;
        skipString(what);
      }
      position += length;
    }
  }

  private long take(long bytes, String what) {
    if (bytes > remaining()) {
      throw new ConsortException(
          ErrorCode.INVALID_FILE,
          "%s: truncated at %s: expected %d bytes at byte %d, but the file ends at byte %d; %s"
              .formatted(
                  file, what, bytes, position, data.byteSize(), "fetch or copy the file again"));
    }
    long at = position;
    position += bytes;
    return at;
  }
}
