package io.hpcrun.yaml;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Files that people or attackers could have written instead of a right one. */
public final class Mutations {
  /** What stands in wrong places. */
  private static final List<String> WORDS =
      List.of(
          "~",
          "true",
          "-1",
          "1e999",
          "[]",
          "{}",
          "''",
          "\"",
          "'",
          ": ",
          "- ",
          "&a",
          "*a",
          "!!int ",
          "#",
          "$(touch /tmp/pwned)",
          "`id`",
          "\n",
          "\t",
          "\0",
          "\r\n",
          "..",
          "/",
          "é",
          "\u2028",
          "%",
          "@",
          "|",
          ">",
          "?",
          "---\n",
          "...\n",
          "0x10",
          "0o7",
          "NaN",
          "null",
          "[[[[[[",
          "{{{{",
          "99999999999999999999",
          "x".repeat(300),
          "--",
          "${x}",
          "${",
          "$$",
          "$",
          "<<: ");

  private Mutations() {}

  /** A file that is a few changes away from a right one; the same for the same number. */
  public static byte[] of(String right, long seed) {
    Random random = new Random(seed);
    String text = right;
    for (int change = 1 + random.nextInt(4); change > 0; change--) {
      text = changed(text, random);
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > 0 && random.nextInt(8) == 0) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
    }
    return bytes;
  }

  private static String changed(String text, Random random) {
    int at = random.nextInt(text.length() + 1);
    int to = Math.min(text.length(), at + 1 + random.nextInt(12));
    List<String> lines = new ArrayList<>(List.of(text.split("(?<=\n)")));
    int line = random.nextInt(lines.size());
    String word = WORDS.get(random.nextInt(WORDS.size()));
    switch (random.nextInt(8)) {
      case 0 -> {
        return text.substring(0, at) + word + text.substring(at);
      }
      case 1 -> {
        return text.substring(0, at) + text.substring(to);
      }
      case 2 -> {
        return text.substring(0, at) + word + text.substring(to);
      }
      case 3 -> lines.remove(line);
      case 4 -> lines.add(line, lines.get(random.nextInt(lines.size())));
      case 5 -> lines.set(line, "  " + lines.get(line));
      case 6 -> lines.set(line, lines.get(line).stripLeading());
      default -> Collections.swap(lines, line, random.nextInt(lines.size()));
    }
    return String.join("", lines);
  }
}
