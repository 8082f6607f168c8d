// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import dev.consort.api.ConsortException;
import dev.consort.api.ErrorCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The files of a model that was split: {@code name-00001-of-00003.gguf} and so on. */
final class GgufSplits {
  static final String NUMBER = "split.no";
  static final String COUNT = "split.count";
  static final String TENSORS = "split.tensors.count";
  private static final Pattern NAME = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");
  private static final int MOST = 65_535;

  private GgufSplits() {}

  /** How many files the model has, as this one says; 1 if it was not split. */
  static int count(Metadata metadata) {
    return metadata.integer(COUNT, 0, MOST, 1);
  }

  /**
   * All files of the model that {@code path} is one of, in order.
   *
   * @throws ConsortException INVALID_FILE if the name does not follow the pattern, NOT_FOUND if
   *     files are missing
   */
  static List<Path> paths(Path path, int count) {
    Matcher match = NAME.matcher(path.getFileName().toString());
    if (!match.matches() || Integer.parseInt(match.group(3)) != count) {
      throw new ConsortException(
          ErrorCode.INVALID_FILE,
          "%s: the file says it is one of %d, so its name must end in -NNNNN-of-%05d.gguf; %s"
              .formatted(path, count, count, "give the parts their original names"));
    }
    List<Path> paths = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      Path part = path.resolveSibling("%s-%05d-of-%05d.gguf".formatted(match.group(1), i, count));
      paths.add(part);
      if (!Files.exists(part)) {
        missing.add(part.getFileName().toString());
      }
    }
    if (!missing.isEmpty()) {
      List<String> some = missing.subList(0, Math.min(4, missing.size()));
      throw new ConsortException(
          ErrorCode.NOT_FOUND,
          "%s: %d of the model's %d files are missing: %s%s; put all parts in one folder"
              .formatted(
                  path,
                  missing.size(),
                  count,
                  String.join(", ", some),
                  missing.size() > some.size() ? ", .." : ""));
    }
    return paths;
  }

  /** Checks that a part is what its place in the list says. */
  static void check(Path path, Metadata metadata, int index, int count) {
    int found = count(metadata);
    int number = metadata.integer(NUMBER, 0, MOST, 0);
    if (found != count || number != index) {
      throw new ConsortException(
          ErrorCode.INVALID_FILE,
          "%s: found part %d of %d, expected part %d of %d; the parts are of different models"
              .formatted(path, number + 1, found, index + 1, count));
    }
  }

  /** Checks the sum of the parts' tensors against what the first part says. */
  static void checkTensors(Path path, Metadata first, int tensors) {
    long expected = first.integer(TENSORS, tensors);
    if (expected != tensors) {
      throw new ConsortException(
          ErrorCode.INVALID_FILE,
          "%s: found %d tensors in all parts, expected %d; the parts are of different models"
              .formatted(path, tensors, expected));
    }
  }
}
