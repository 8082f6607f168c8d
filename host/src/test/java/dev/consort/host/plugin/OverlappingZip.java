// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.plugin;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** A ZIP file all of whose entries are the same bytes, so that it unpacks to many times them. */
final class OverlappingZip {
  private static final int LOCAL = 30;
  private static final int CENTRAL = 46;
  private static final int END = 22;

  private OverlappingZip() {}

  static byte[] of(int entries, int bytes) {
    byte[] plain = new byte[bytes];
    new java.util.Random(1).nextBytes(plain);
    byte[] packed = deflate(plain);
    CRC32 crc = new CRC32();
    crc.update(plain);
    ByteBuffer zip =
        ByteBuffer.allocate(LOCAL + 4 + packed.length + entries * (CENTRAL + 4) + END)
            .order(ByteOrder.LITTLE_ENDIAN);
    zip.putInt(0x04034b50).putShort((short) 20).putShort((short) 0).putShort((short) 8).putInt(0);
    zip.putInt((int) crc.getValue()).putInt(packed.length).putInt(bytes);
    zip.putShort((short) 4).putShort((short) 0).put(name(0)).put(packed);
    int directory = zip.position();
    for (int i = 0; i < entries; i++) {
      zip.putInt(0x02014b50).putShort((short) 20).putShort((short) 20).putShort((short) 0);
      zip.putShort((short) 8).putInt(0).putInt((int) crc.getValue());
      zip.putInt(packed.length).putInt(bytes).putShort((short) 4).putShort((short) 0);
      zip.putShort((short) 0).putShort((short) 0).putShort((short) 0).putInt(0).putInt(0);
      zip.put(name(i));
    }
    int size = zip.position() - directory;
    zip.putInt(0x06054b50).putInt(0).putShort((short) entries).putShort((short) entries);
    zip.putInt(size).putInt(directory).putShort((short) 0);
    return zip.array();
  }

  private static byte[] name(int index) {
    return "%04d".formatted(index).getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] deflate(byte[] plain) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true)) {
      deflater.setInput(plain);
      deflater.finish();
      byte[] block = new byte[1 << 16];
      while (!deflater.finished()) {
        out.write(block, 0, deflater.deflate(block));
      }
    }
    return out.toByteArray();
  }
}
