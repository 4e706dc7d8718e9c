package io.hpcrun.spec;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A word as the operating system knows it: any bytes but NUL. Arguments, values of variables and
 * paths are byte strings from the shell to the application, because a Java string would change the
 * bytes that are not valid in the user's locale.
 */
public final class ByteString {
  private final byte[] bytes;

  private ByteString(byte[] bytes) {
    for (byte b : bytes) {
      if (b == 0) {
        throw new IllegalArgumentException("a word of a command line cannot hold NUL");
      }
    }
    this.bytes = bytes;
  }

  /** The UTF-8 bytes of a text. */
  public static ByteString of(String text) {
    return new ByteString(text.getBytes(StandardCharsets.UTF_8));
  }

  /** These bytes; the array is copied. */
  public static ByteString of(byte[] bytes) {
    return new ByteString(bytes.clone());
  }

  /** The bytes whose values are the characters (0 to 255) of {@code latin1}. */
  public static ByteString ofLatin1(String latin1) {
    return new ByteString(latin1.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** One character (0 to 255) for each byte; the inverse of {@link #ofLatin1}. */
  public String latin1() {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** The text of bytes that are UTF-8. */
  public String utf8() {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** A copy of the bytes. */
  public byte[] bytes() {
    return bytes.clone();
  }

  /** Number of bytes. */
  public int length() {
    return bytes.length;
  }

  /** Whether the bytes are valid UTF-8. */
  public boolean isUtf8() {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return true;
    } catch (CharacterCodingException notUtf8) {
      return false;
    }
  }

  /** Writes the bytes as they are. */
  public void writeTo(OutputStream out) throws IOException {
    out.write(bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ByteString that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** The text for people: decoded as UTF-8, control characters shown as {@code \n} or {@code ?}. */
  @Override
  public String toString() {
    String text = new String(bytes, StandardCharsets.UTF_8);
    StringBuilder shown = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              if (c == '\n') {
                shown.append("\\n");
              } else if (c == '\t') {
                shown.append("\\t");
              } else if (Character.isISOControl(c)) {
                shown.append('?');
              } else {
                shown.appendCodePoint(c);
              }
            });
    return shown.toString();
  }
}
