// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

/**
 * Where one metadata value lies: its bytes are read when it is asked for.
 *
 * @param type the value's type, or the elements' type if it is an array
 * @param isArray whether it is an array
 * @param count elements of the array, 1 for a single value
 * @param position byte of the first element (strings: of its length) in the file
 * @param bytes that an array's elements take; 0 for a single value
 */
record MetadataValue(MetadataType type, boolean isArray, long count, long position, long bytes) {

  String describe() {
    return isArray ? "array of " + count + " " + type : type.toString();
  }
}
