package io.hpcrun.timing;

import java.util.Arrays;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/**
 * Durations of one stage, of one node or of all. Count, minimum and maximum are exact; median and
 * 95th percentile are right to 0.1 % (HdrHistogram with three significant digits), and exact for as
 * many as a node has. Not thread-safe.
 */
public final class Durations {
  /**
   * Up to this many are kept as they are: clearing a histogram costs as much as 100,000 of them.
   */
  private static final int FEW = 256;

  private long[] few = new long[4];
  private int kept;
  private Histogram histogram;
  private long minimum = Long.MAX_VALUE;
  private long maximum = Long.MIN_VALUE;
  private String slowestNode = "";
  private long slowestRank = -1;
  private long uncertainty;

  /**
   * Adds a duration.
   *
   * @param nanoseconds how long, not negative
   * @param node where it was measured
   * @param rank which rank, or -1 for a duration of the whole node or job
   * @param uncertaintyNanoseconds how far it may be off because two clocks took part
   */
  public void add(long nanoseconds, String node, long rank, long uncertaintyNanoseconds) {
    if (kept < FEW) {
      keep(nanoseconds);
    } else {
      record(nanoseconds);
    }
    uncertainty = Math.max(uncertainty, uncertaintyNanoseconds);
    minimum = Math.min(minimum, nanoseconds);
    if (nanoseconds > maximum) {
      maximum = nanoseconds;
      slowestNode = node;
      slowestRank = rank;
    }
  }

  private void keep(long nanoseconds) {
    if (kept == few.length) {
      few = Arrays.copyOf(few, 2 * kept);
    }
    few[kept++] = nanoseconds;
  }

  private void record(long nanoseconds) {
    if (histogram == null) {
      histogram = new Histogram(3);
    }
    if (histogram.getTotalCount() == 0) {
      for (int i = 0; i < kept; i++) {
        histogram.recordValue(few[i]);
      }
    }
    histogram.recordValue(nanoseconds);
  }

  /** The figures so far; there must be at least one duration. */
  public Summary summary() {
    boolean exact = count() == kept;
    if (exact) {
      Arrays.sort(few, 0, kept);
    }
    return new Summary(
        count(),
        minimum,
        exact ? few[(kept - 1) / 2] : clamp(histogram.getValueAtPercentile(50)),
        exact ? few[(int) Math.ceil(kept * 0.95) - 1] : clamp(histogram.getValueAtPercentile(95)),
        maximum,
        slowestNode,
        slowestRank,
        uncertainty);
  }

  /** Forgets everything, keeps the memory. */
  public void reset() {
    if (count() > kept) {
      histogram.reset();
    }
    kept = 0;
    minimum = Long.MAX_VALUE;
    maximum = Long.MIN_VALUE;
    slowestNode = "";
    slowestRank = -1;
    uncertainty = 0;
  }

  /** Whether there is no duration. */
  public boolean isEmpty() {
    return kept == 0;
  }

  private long count() {
    return histogram == null ? kept : Math.max(kept, histogram.getTotalCount());
  }

  private long clamp(long value) {
    return Math.clamp(value, minimum, maximum);
  }

  /**
   * The figures of some durations, in nanoseconds.
   *
   * @param count how many durations
   * @param minimum the shortest
   * @param median 50th percentile
   * @param p95 95th percentile
   * @param maximum the longest
   * @param slowestNode node of the longest
   * @param slowestRank rank of the longest, -1 if it is no rank's
   * @param uncertainty how far any of them may be off because two clocks took part
   */
  public record Summary(
      long count,
      long minimum,
      long median,
      long p95,
      long maximum,
      String slowestNode,
      long slowestRank,
      long uncertainty) {}

  /** A duration for people: three digits and a unit. */
  public static String show(long nanoseconds) {
    if (nanoseconds == 0) {
      return "0 s";
    }
    if (nanoseconds < 1_000_000) {
      return digits(nanoseconds / 1e3, "us");
    }
    if (nanoseconds < 1_000_000_000) {
      return digits(nanoseconds / 1e6, "ms");
    }
    if (nanoseconds < 120_000_000_000L) {
      return digits(nanoseconds / 1e9, "s");
    }
    long seconds = nanoseconds / 1_000_000_000;
    if (seconds < 2 * 3600) {
      return "%d min %d s".formatted(seconds / 60, seconds % 60);
    }
    return seconds < 48 * 3600
        ? "%d h %d min".formatted(seconds / 3600, seconds / 60 % 60)
        : "%d d %d h".formatted(seconds / 86_400, seconds / 3600 % 24);
  }

  private static String digits(double value, String unit) {
    int decimals = value < 10 ? 2 : value < 100 ? 1 : 0;
    return String.format(Locale.ROOT, "%." + decimals + "f %s", value, unit);
  }
}
