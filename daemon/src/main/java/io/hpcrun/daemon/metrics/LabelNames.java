package io.hpcrun.daemon.metrics;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * Names of one label, of which a monitoring system keeps series for good: the first so many are
 * shown, all others are {@value #OTHER}, whatever records and requests claim. Where the names that
 * there can be are known, no other one is shown, nor takes the place of one. Thread-safe.
 */
final class LabelNames {
  /** Stands for names beyond the limit, and for what is no name. */
  static final String OTHER = "other";

  /** Stands for no name. */
  static final String NONE = "none";

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  private final int most;
  private final Supplier<Set<String>> known;
  private final Set<String> names = new HashSet<>();

  /** No name yet; shows {@code most} of those that come. */
  LabelNames(int most) {
    this(most, Set::of);
  }

  /**
   * No name yet; shows {@code most} of those that come.
   *
   * @param known the names that there can be; none while they are not known, and then any name is
   *     one
   */
  LabelNames(int most, Supplier<Set<String>> known) {
    this.most = most;
    this.known = known;
  }

  /** What is shown for a name. */
  synchronized String shown(String name) {
    if (name.isEmpty()) {
      return NONE;
    }
    if (!NAME.matcher(name).matches()) {
      return OTHER;
    }
    Set<String> possible = known.get();
    if (!possible.isEmpty()) {
      names.retainAll(possible); // what came before they were known keeps no place
      if (!possible.contains(name)) {
        return OTHER;
      }
    }
    if (names.size() < most) {
      names.add(name);
    }
    return names.contains(name) ? name : OTHER;
  }
}
