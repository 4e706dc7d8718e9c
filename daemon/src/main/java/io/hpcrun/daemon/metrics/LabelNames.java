package io.hpcrun.daemon.metrics;

import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Names of one label, of which a monitoring system keeps series for good: the first so many are
 * shown, all others are {@value #OTHER}, whatever records and requests claim. Thread-safe.
 */
final class LabelNames {
  /** Stands for names beyond the limit, and for what is no name. */
  static final String OTHER = "other";

  /** Stands for no name. */
  static final String NONE = "none";

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  private final int most;
  private final Set<String> names = new HashSet<>();

  /** No name yet; shows {@code most} of those that come. */
  LabelNames(int most) {
    this.most = most;
  }

  /** What is shown for a name. */
  synchronized String shown(String name) {
    if (name.isEmpty()) {
      return NONE;
    }
    if (!NAME.matcher(name).matches()) {
      return OTHER;
    }
    if (names.size() < most) {
      names.add(name);
    }
    return names.contains(name) ? name : OTHER;
  }
}
