package io.hpcrun.yaml;

import io.hpcrun.failure.Failure;
import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Names that people get wrong. */
public final class Names {
  /** More than this are not listed in a message. */
  private static final int LISTED = 40;

  private static final int SHORTEST_BEGINNING = 3;

  private Names() {}

  /**
   * The mistake of a name that is not known; the remedy is the nearest one, or all.
   *
   * @param found a sentence with {@code %s} for the name
   */
  public static Failure unknown(
      Place place, String found, String name, Collection<String> allowed) {
    String shown = name.replaceAll("\\p{Cntrl}", "?");
    return place.wrong(
        found.formatted(shown.length() > 60 ? shown.substring(0, 60) + "..." : shown),
        remedy(name, allowed));
  }

  /** What to write instead of a name. */
  public static String remedy(String name, Collection<String> allowed) {
    Optional<String> nearest = nearest(name, allowed);
    if (nearest.isPresent()) {
      return "write '" + nearest.get() + "'";
    }
    if (allowed.isEmpty()) {
      return "leave it out";
    }
    return allowed.size() > LISTED
        ? "the documentation lists the names"
        : "use one of: " + String.join(", ", allowed.stream().sorted().toList());
  }

  /**
   * The nearest name, if one is near: a third of the letters may be wrong, or one of the two is the
   * beginning of the other.
   */
  public static Optional<String> nearest(String name, Collection<String> allowed) {
    String plain = plain(name);
    if (plain.length() > 40) {
      return Optional.empty();
    }
    return allowed.stream()
        .filter(
            each ->
                begins(plain, plain(each))
                    || distance(plain, plain(each)) <= (each.length() + 1) / 3)
        .min(
            Comparator.comparingInt((String each) -> distance(plain, plain(each)))
                .thenComparing(each -> !begins(plain, plain(each)))
                .thenComparing(each -> each));
  }

  private static boolean begins(String one, String other) {
    return Math.min(one.length(), other.length()) >= SHORTEST_BEGINNING
        && (one.startsWith(other) || other.startsWith(one));
  }

  /** Names that differ only so are the same to people. */
  private static String plain(String name) {
    return name.toLowerCase(java.util.Locale.ROOT).replace('_', '-');
  }

  /** Letters to change, add, leave out or exchange with their neighbour (Damerau, 1964). */
  private static int distance(String one, String other) {
    int[][] least = new int[one.length() + 1][other.length() + 1];
    for (int i = 0; i <= one.length(); i++) {
      for (int j = 0; j <= other.length(); j++) {
        if (i == 0 || j == 0) {
          least[i][j] = i + j;
          continue;
        }
        int change = one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1;
        least[i][j] =
            Math.min(least[i - 1][j - 1] + change, Math.min(least[i - 1][j], least[i][j - 1]) + 1);
        if (i > 1
            && j > 1
            && one.charAt(i - 1) == other.charAt(j - 2)
            && one.charAt(i - 2) == other.charAt(j - 1)) {
          least[i][j] = Math.min(least[i][j], least[i - 2][j - 2] + 1);
        }
      }
    }
    return least[one.length()][other.length()];
  }
}
