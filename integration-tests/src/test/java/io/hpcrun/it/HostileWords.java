package io.hpcrun.it;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Random words of a command line, rich in what shells, Slurm and JSON treat as special. */
final class HostileWords {
  /** Texts that something on the way to the application treats as special. */
  static final List<String> SPECIAL =
      List.of(
          "'",
          "\"",
          "\\",
          "`",
          "$",
          "$(touch pwned)",
          "`touch pwned`",
          "${HOME}",
          "$'\\n'",
          "\n",
          "\n#SBATCH --nodes=99\n",
          "#",
          "#SBATCH",
          "*",
          "?",
          "[a-z]",
          "{a,b}",
          "~",
          "~root",
          "!!",
          ";",
          "&",
          "|",
          "<",
          ">",
          ">(x)",
          "--",
          "-n",
          "-",
          "=",
          ":",
          ",",
          "%j",
          "%%",
          "\t",
          "\r",
          " ",
          "  ",
          "\u0001",
          "\u007f",
          "ä",
          "漢字",
          "🚀",
          "\u202e",
          "\u0300",
          "\\n",
          "\\0",
          "EOF",
          "\"}",
          "\\u0000",
          "&&",
          "||",
          "$$",
          "$?",
          "$@",
          "''",
          "\\'",
          "\ufeff");

  private static final int MOST_PIECES = 12;
  private static final int MOST_WORDS = 9;

  private final RandomGenerator random;

  HostileWords(RandomGenerator random) {
    this.random = random;
  }

  /** A word of valid UTF-8; one in twelve is empty. */
  String word() {
    StringBuilder word = new StringBuilder();
    for (int pieces = random.nextInt(MOST_PIECES); pieces > 0; pieces--) {
      switch (random.nextInt(4)) {
        case 0 -> word.append((char) random.nextInt(1, 128));
        case 1 -> word.appendCodePoint(codePoint());
        default -> word.append(SPECIAL.get(random.nextInt(SPECIAL.size())));
      }
    }
    return word.toString();
  }

  /** One to nine words. */
  List<String> vector() {
    List<String> words = new ArrayList<>();
    for (int count = random.nextInt(1, MOST_WORDS + 1); count > 0; count--) {
      words.add(word());
    }
    return words;
  }

  /** A word that holds a byte from 128 on that makes it no valid UTF-8. */
  byte[] brokenWord() {
    byte[] start = word().getBytes(StandardCharsets.UTF_8);
    byte[] word = java.util.Arrays.copyOf(start, start.length + 2);
    // A byte that begins a longer character, followed by one that cannot go on with it.
    word[start.length] = (byte) random.nextInt(0xc0, 0x100);
    word[start.length + 1] = (byte) random.nextInt(1, 0x80);
    return word;
  }

  private int codePoint() {
    while (true) {
      int c = random.nextInt(0x80, Character.MAX_CODE_POINT + 1);
      if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
        return c;
      }
    }
  }
}
