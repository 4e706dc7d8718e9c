package io.hpcrun.daemon.api;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * Answers in a tenth of their bytes for little work: numbers and names that come again and again.
 */
final class Gzip extends GZIPOutputStream {
  /** What is shorter travels in one packet anyway. */
  static final int WORTHWHILE = 1_400;

  private static final int BUFFER = 1 << 13;

  /** Packs what is written; closed, it is whole. */
  Gzip(OutputStream out) throws IOException {
    super(out, BUFFER);
    def.setLevel(Deflater.BEST_SPEED);
  }

  /** Packs it all. */
  static byte[] of(byte[] bytes) {
    ByteArrayOutputStream packed = new ByteArrayOutputStream(bytes.length / 4);
    try (Gzip out = new Gzip(packed)) {
      out.write(bytes);
    } catch (IOException inMemory) {
      throw new UncheckedIOException(inMemory);
    }
    return packed.toByteArray();
  }
}
