package io.hpcrun.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Versions from one on and before another; numbers are compared, what follows them is not.
 *
 * @param from the first version; empty: from the beginning
 * @param below the first one that is not meant any more; empty: to the end
 */
record VersionRange(String from, String below) {
  /** Every version, also an unknown one. */
  static final VersionRange ANY = new VersionRange("", "");

  private static final Pattern NUMBERS = Pattern.compile("\\d+(\\.\\d+)*");

  /** Versions from this one on. */
  static VersionRange from(String version) {
    return new VersionRange(version, "");
  }

  /** Versions before this one. */
  static VersionRange below(String version) {
    return new VersionRange("", version);
  }

  /** Whether a version is among them; an unknown one only if all are. */
  boolean contains(Optional<String> version) {
    if (from.isEmpty() && below.isEmpty()) {
      return true;
    }
    return version
        .map(VersionRange::numbers)
        .filter(numbers -> !numbers.isEmpty())
        .map(
            numbers ->
                (from.isEmpty() || compare(numbers, numbers(from)) >= 0)
                    && (below.isEmpty() || compare(numbers, numbers(below)) < 0))
        .orElse(false);
  }

  private static List<Integer> numbers(String version) {
    List<Integer> numbers = new ArrayList<>();
    Matcher matcher = NUMBERS.matcher(version);
    if (matcher.lookingAt()) {
      for (String part : matcher.group().split("\\.")) {
        numbers.add(part.length() > 9 ? Integer.MAX_VALUE : Integer.parseInt(part));
      }
    }
    return numbers;
  }

  private static int compare(List<Integer> one, List<Integer> other) {
    for (int i = 0; i < Math.max(one.size(), other.size()); i++) {
      int a = i < one.size() ? one.get(i) : 0;
      int b = i < other.size() ? other.get(i) : 0;
      if (a != b) {
        return Integer.compare(a, b);
      }
    }
    return 0;
  }

  @Override
  public String toString() {
    if (from.isEmpty() && below.isEmpty()) {
      return "any";
    }
    if (below.isEmpty()) {
      return "from " + from;
    }
    return from.isEmpty() ? "before " + below : "from " + from + " before " + below;
  }
}
