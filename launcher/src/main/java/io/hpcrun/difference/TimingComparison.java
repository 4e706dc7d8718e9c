package io.hpcrun.difference;

import io.hpcrun.difference.Difference.Section;
import io.hpcrun.timing.Durations;
import io.hpcrun.timing.LaunchTiming;
import io.hpcrun.timing.Stage;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Stages that took another time: 1.5 times as long or more, in the median or at most, by more than
 * 50 ms and more than the clocks may be off. No two launches take the same time.
 */
final class TimingComparison {
  private static final double FACTOR = 1.5;
  private static final long LEAST = 50_000_000L;

  private TimingComparison() {}

  /** The stages that differ, the greatest difference first. */
  static List<Difference> of(String prefix, LaunchTiming one, LaunchTiming other) {
    record Seen(long by, Difference difference) {}

    List<Seen> seen = new ArrayList<>();
    Map<Stage, Durations.Summary> after = other.overall();
    one.overall()
        .forEach(
            (stage, before) -> {
              Durations.Summary then = after.get(stage);
              if (then != null) {
                boolean most = !differs(before.median(), then.median(), before, then);
                long first = most ? before.maximum() : before.median();
                long second = most ? then.maximum() : then.median();
                if (differs(first, second, before, then)) {
                  seen.add(
                      new Seen(
                          Math.abs(second - first),
                          new Difference(
                              Section.TIMING,
                              prefix + stage.label(),
                              Durations.show(first),
                              Durations.show(second),
                              note(most, first, second, first < second ? then : before))));
                }
              }
            });
    return seen.stream()
        .sorted(Comparator.comparingLong(Seen::by).reversed())
        .map(Seen::difference)
        .toList();
  }

  private static boolean differs(
      long one, long other, Durations.Summary before, Durations.Summary after) {
    long by = Math.abs(one - other);
    return by > LEAST
        && by > before.uncertainty() + after.uncertainty()
        && Math.max(one, other) >= FACTOR * Math.min(one, other);
  }

  private static String note(boolean most, long one, long other, Durations.Summary slower) {
    StringBuilder note = new StringBuilder(most ? "at most" : slower.count() > 1 ? "median" : "");
    if (Math.min(one, other) > 0) {
      double times = (double) Math.max(one, other) / Math.min(one, other);
      note.append(note.isEmpty() ? "" : ", ")
          .append(String.format(Locale.ROOT, times < 10 ? "%.1f" : "%.0f", times))
          .append(one < other ? " times as long" : " times as fast");
    }
    if (!slower.slowestNode().isEmpty()) {
      note.append("; slowest ").append(slower.slowestNode());
      if (slower.slowestRank() >= 0) {
        note.append(" rank ").append(slower.slowestRank());
      }
    }
    return note.toString();
  }
}
