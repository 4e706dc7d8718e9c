package io.hpcrun.script;

import io.hpcrun.spec.ByteString;

/**
 * Quotes words for bash so that it reads back the same bytes, in any locale, and so that a reader
 * sees what they are: bare where that is safe, in single quotes where they are printable, as {@code
 * $'…'} where they hold control characters or bytes that are not UTF-8. No word spans lines, so
 * none can look like an {@code #SBATCH} directive.
 */
public final class ShellWord {
  private ShellWord() {}

  /** The word as bash source, one character for each byte (ISO 8859-1). */
  public static String quote(ByteString word) {
    String latin1 = word.latin1();
    if (!latin1.isEmpty() && latin1.chars().allMatch(ShellWord::isSafe)) {
      return latin1;
    }
    if (isPrintable(word)) {
      return "'" + latin1.replace("'", "'\\''") + "'";
    }
    StringBuilder quoted = new StringBuilder("$'");
    for (int i = 0; i < latin1.length(); i++) {
      char c = latin1.charAt(i);
      switch (c) {
        case '\n' -> quoted.append("\\n");
        case '\t' -> quoted.append("\\t");
        case '\r' -> quoted.append("\\r");
        case '\'', '\\' -> quoted.append('\\').append(c);
        default -> {
          if (c >= ' ' && c < 0x7f) {
            quoted.append(c);
          } else {
            quoted.append('\\').append((char) ('0' + (c >> 6)));
            quoted.append((char) ('0' + (c >> 3 & 7))).append((char) ('0' + (c & 7)));
          }
        }
      }
    }
    return quoted.append('\'').toString();
  }

  /** The text as bash source. */
  public static String quote(String text) {
    return quote(ByteString.of(text));
  }

  private static boolean isSafe(int c) {
    return c >= 'a' && c <= 'z'
        || c >= 'A' && c <= 'Z'
        || c >= '0' && c <= '9'
        || "_-./:=@%+".indexOf(c) >= 0;
  }

  /** Valid UTF-8 without characters that are invisible or change how the line is shown. */
  private static boolean isPrintable(ByteString word) {
    return word.isUtf8()
        && new String(word.bytes(), java.nio.charset.StandardCharsets.UTF_8)
            .codePoints()
            .allMatch(
                c ->
                    switch (Character.getType(c)) {
                      case Character.CONTROL,
                          Character.FORMAT,
                          Character.LINE_SEPARATOR,
                          Character.PARAGRAPH_SEPARATOR,
                          Character.SURROGATE,
                          Character.PRIVATE_USE,
                          Character.UNASSIGNED ->
                          false;
                      default -> true;
                    });
  }
}
