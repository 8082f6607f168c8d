// SPDX-License-Identifier: Apache-2.0

import static org.lwjgl.util.shaderc.Shaderc.*;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.lwjgl.system.MemoryUtil;

/**
 * Compiles every {@code *.comp} of a folder to SPIR-V. Run by Maven in source mode.
 *
 * <p>A line {@code // variants: NAME = A B C} makes one module per value: {@code x-a.spv} with
 * {@code NAME=NAME_A} defined, and so on; several such lines make their product. {@code #include}
 * is resolved against the same folder. A module is compiled again only when a source is newer.
 *
 * <p>Arguments: source folder, target folder.
 */
public final class ShaderCompiler {
  private record Variant(String suffix, List<String[]> defines) {}

  public static void main(String[] args) throws IOException {
    Path sources = Path.of(args[0]);
    Path target = Path.of(args[1]);
    Files.createDirectories(target);
    List<Path> files;
    try (Stream<Path> list = Files.list(sources)) {
      files = list.sorted().toList();
    }
    long newest = 0;
    for (Path file : files) {
      newest = Math.max(newest, Files.getLastModifiedTime(file).toMillis());
    }
    long compiler = shaderc_compiler_initialize();
    int compiled = 0;
    for (Path file : files) {
      String name = file.getFileName().toString();
      if (!name.endsWith(".comp")) {
        continue;
      }
      String text = resolve(sources, Files.readString(file), new ArrayList<>());
      for (Variant variant : variants(text)) {
        String base = name.substring(0, name.length() - 5);
        Path output = target.resolve(base + variant.suffix() + ".spv");
        if (Files.exists(output) && Files.getLastModifiedTime(output).toMillis() >= newest) {
          continue;
        }
        Files.write(output, compile(compiler, text, name, variant));
        compiled++;
      }
    }
    shaderc_compiler_release(compiler);
    if (compiled > 0) {
      System.out.println("compiled " + compiled + " SPIR-V modules to " + target);
    }
  }

  private static String resolve(Path folder, String text, List<String> seen) throws IOException {
    StringBuilder out = new StringBuilder();
    for (String line : text.split("\n", -1)) {
      if (line.startsWith("#include \"")) {
        String name = line.substring(10, line.lastIndexOf('"'));
        if (!seen.contains(name)) {
          seen.add(name);
          out.append(resolve(folder, Files.readString(folder.resolve(name)), seen));
        }
      } else {
        out.append(line).append('\n');
      }
    }
    return out.toString();
  }

  private static List<Variant> variants(String text) {
    List<Variant> variants = List.of(new Variant("", List.of()));
    for (String line : text.split("\n")) {
      if (!line.startsWith("// variants:")) {
        continue;
      }
      String[] parts = line.substring(12).split("=");
      String key = parts[0].trim();
      List<Variant> product = new ArrayList<>();
      for (Variant variant : variants) {
        for (String value : parts[1].trim().split("\\s+")) {
          List<String[]> defines = new ArrayList<>(variant.defines());
          defines.add(new String[] {key, key + "_" + value});
          product.add(new Variant(variant.suffix() + "-" + value.toLowerCase(), defines));
        }
      }
      variants = product;
    }
    return variants;
  }

  private static byte[] compile(long compiler, String text, String name, Variant variant) {
    long options = shaderc_compile_options_initialize();
    shaderc_compile_options_set_target_env(
        options, shaderc_target_env_vulkan, shaderc_env_version_vulkan_1_2);
    shaderc_compile_options_set_optimization_level(
        options, shaderc_optimization_level_performance);
    for (String[] define : variant.defines()) {
      shaderc_compile_options_add_macro_definition(options, define[0], define[1]);
    }
    ByteBuffer source = MemoryUtil.memUTF8(text, false);
    ByteBuffer file = MemoryUtil.memUTF8(name);
    ByteBuffer entry = MemoryUtil.memUTF8("main");
    long result =
        shaderc_compile_into_spv(compiler, source, shaderc_compute_shader, file, entry, options);
    try {
      if (shaderc_result_get_compilation_status(result) != shaderc_compilation_status_success) {
        throw new IllegalStateException(
            "shader " + name + variant.suffix() + ": " + shaderc_result_get_error_message(result));
      }
      ByteBuffer spirv = shaderc_result_get_bytes(result);
      byte[] bytes = new byte[spirv.remaining()];
      spirv.get(bytes);
      return bytes;
    } finally {
      shaderc_result_release(result);
      shaderc_compile_options_release(options);
      MemoryUtil.memFree(source);
      MemoryUtil.memFree(file);
      MemoryUtil.memFree(entry);
    }
  }
}
