package io.hpcrun.image;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * A SIF file's table of parts (sylabs/sif, pkg/sif/sif.go and descriptor.go: the global header says
 * where the table is; each descriptor has 585 packed little-endian bytes).
 */
final class SifTable {
  private static final int TOTAL_AT = 88;
  private static final int TABLE_AT = 96;
  private static final int HEADER = 128;
  private static final int DESCRIPTOR = 585;
  private static final int USED_AT = 4;
  private static final int OFFSET_AT = 17;
  private static final int SIZE_AT = 25;
  private static final int EXTRA_AT = 201;
  private static final int PARTITION = 0x4004;
  private static final int SIGNATURE = 0x4005;
  private static final int PRIMARY_SYSTEM = 2;
  private static final int SQUASHFS = 1;
  private static final int ENCRYPTED_SQUASHFS = 5;
  private static final long MOST_DESCRIPTORS = 10_000;

  private SifTable() {}

  /**
   * A part of a SIF file.
   *
   * @param offset where it begins, in bytes
   * @param size its length in bytes
   */
  record Part(long offset, long size) {}

  /**
   * The squashfs file system that is the container's root.
   *
   * @throws Failure with exit code 5 when there is none, or it is encrypted
   */
  static Part system(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path)) {
      ByteBuffer header = read(channel, 0, HEADER);
      long total = Math.min(MOST_DESCRIPTORS, header.getLong(TOTAL_AT));
      ByteBuffer table =
          read(channel, header.getLong(TABLE_AT), (int) Math.max(0, total) * DESCRIPTOR);
      for (int at = 0; at + DESCRIPTOR <= table.limit(); at += DESCRIPTOR) {
        if (table.getInt(at) == PARTITION
            && table.get(at + USED_AT) != 0
            && table.getInt(at + EXTRA_AT + Integer.BYTES) == PRIMARY_SYSTEM) {
          int fileSystem = table.getInt(at + EXTRA_AT);
          if (fileSystem == SQUASHFS) {
            return new Part(table.getLong(at + OFFSET_AT), table.getLong(at + SIZE_AT));
          }
          throw Failure.image(
              "the image "
                  + path
                  + (fileSystem == ENCRYPTED_SQUASHFS
                      ? " is encrypted"
                      : " holds no squashfs file system, but one of SIF's type " + fileSystem)
                  + ", so nobody can look into it without running it",
              "build it again with a present-day Apptainer, without encryption");
        }
      }
    }
    throw Failure.image("the image " + path + " holds no file system", "build or copy it again");
  }

  /**
   * Whether a file holds a signature, as far as its beginning tells.
   *
   * @param beginning header and table, little-endian
   */
  static boolean holdsSignature(ByteBuffer beginning) {
    long table = beginning.getLong(TABLE_AT);
    long total = Math.min(MOST_DESCRIPTORS, beginning.getLong(TOTAL_AT));
    boolean readable = table >= HEADER && table < beginning.limit();
    for (long i = 0; readable && i < total; i++) {
      long at = table + i * DESCRIPTOR;
      if (at + DESCRIPTOR > beginning.limit()) {
        return false;
      }
      if (beginning.getInt((int) at) == SIGNATURE && beginning.get((int) at + USED_AT) != 0) {
        return true;
      }
    }
    return false;
  }

  private static ByteBuffer read(FileChannel channel, long from, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining() && channel.read(bytes, from + bytes.position()) >= 0) {
      // a short read is continued
    }
    return bytes.flip();
  }
}
