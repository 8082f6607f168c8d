// SPDX-License-Identifier: Apache-2.0
package dev.consort.model.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class MetadataTest {

  @Test
  void integersOfEveryWidthAnswer() {
    var head = new HeadBytes();
    head.key("u8", 0).i8(200);
    head.key("i8", 1).i8(-2);
    head.key("u16", 2).i8(0xff).i8(0xff);
    head.key("i16", 3).i8(0xfe).i8(0xff);
    head.key("u32", 4).i32(-1);
    head.key("i32", 5).i32(-3);
    head.key("u64", 10).i64(1L << 40);
    head.key("i64", 11).i64(-4);
    Metadata metadata = head.parse().metadata();

    assertThat(metadata.integer("u8")).isEqualTo(200);
    assertThat(metadata.integer("i8")).isEqualTo(-2);
    assertThat(metadata.integer("u16")).isEqualTo(65535);
    assertThat(metadata.integer("i16")).isEqualTo(-2);
    assertThat(metadata.integer("u32")).isEqualTo(4294967295L);
    assertThat(metadata.integer("i32")).isEqualTo(-3);
    assertThat(metadata.integer("u64")).isEqualTo(1L << 40);
    assertThat(metadata.integer("i64")).isEqualTo(-4);
  }

  @Test
  void readsRealsFlagsAndArrays() {
    var head = new HeadBytes();
    head.key("f32", 6).f32(1.5f);
    head.key("f64", 12).i64(Double.doubleToRawLongBits(2.25));
    head.key("yes", 7).i8(1);
    head.key("floats", 9).i32(6).i64(2).f32(1).f32(-2);
    head.key("integers", 9).i32(5).i64(2).i32(7).i32(-8);
    head.key("strings", 9).i32(8).i64(3).string("").string("zwei").string("drüben");
    Metadata metadata = head.parse().metadata();

    assertThat(metadata.real("f32")).isEqualTo(1.5f);
    assertThat(metadata.real("f64")).isEqualTo(2.25f);
    assertThat(metadata.flag("yes", false)).isTrue();
    assertThat(metadata.flag("absent", true)).isTrue();
    assertThat(metadata.floats("floats")).containsExactly(1, -2);
    assertThat(metadata.integers("integers")).containsExactly(7, -8);
    StringArray strings = metadata.strings("strings");
    assertThat(strings.size()).isEqualTo(3);
    assertThat(strings.get(0)).isEmpty();
    assertThat(strings.get(1)).isEqualTo("zwei");
    assertThat(strings.get(2)).isEqualTo("drüben");
    assertThat(strings.end(1) - strings.start(1)).isEqualTo(4);
    assertThat(metadata.describe("strings")).contains("array of 3 string");
  }

  @Test
  void wrongTypesAndMissingKeysNameTheKey() {
    Metadata metadata = new HeadBytes().string("name", "x").integer("n", 5).parse().metadata();

    assertThatThrownBy(() -> metadata.integer("name"))
        .hasMessageContainingAll("model.gguf", "name", "of type string", "integer");
    assertThatThrownBy(() -> metadata.string("n")).hasMessageContaining("of type uint32");
    assertThatThrownBy(() -> metadata.floats("n")).hasMessageContaining("array of float32");
    assertThatThrownBy(() -> metadata.string("absent"))
        .hasMessageContainingAll("absent", "missing");
    assertThatThrownBy(() -> metadata.integer("n", 6, 9))
        .hasMessageContainingAll("n is 5", "from 6 to 9");
  }
}
