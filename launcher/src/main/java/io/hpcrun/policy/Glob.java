package io.hpcrun.policy;

import java.util.List;

/**
 * A text in which {@code *} stands for any text, also none, and also with slashes. Matching takes
 * time in proportion to the length of both.
 *
 * @param text as it was written
 */
public record Glob(String text) {
  /** The texts between the stars; one if there is none. */
  List<String> pieces() {
    return List.of(text.split("\\*", -1));
  }

  /** Whether a text is what this says. */
  boolean matches(String other) {
    List<String> pieces = pieces();
    String first = pieces.getFirst();
    String last = pieces.getLast();
    if (pieces.size() == 1) {
      return other.equals(first);
    }
    if (other.length() < first.length() + last.length()
        || !other.startsWith(first)
        || !other.endsWith(last)) {
      return false;
    }
    int from = first.length();
    int to = other.length() - last.length();
    for (String piece : pieces.subList(1, pieces.size() - 1)) {
      int at = other.indexOf(piece, from);
      if (at < 0 || at + piece.length() > to) {
        return false;
      }
      from = at + piece.length();
    }
    return true;
  }
}
