package io.hpcrun.spec;

import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The indices of a job array in sbatch's words (sbatch(1), {@code --array}): {@code 0-15}, {@code
 * 1,3,7}, {@code 0-100:10%4}.
 *
 * @param ranges the ranges, each with its least and greatest index and its step
 * @param atOnce how many elements may run at once; empty: all
 */
public record ArrayIndices(List<Range> ranges, OptionalInt atOnce) {
  /**
   * Indices with the same distance.
   *
   * @param from the first
   * @param to the last that there may be
   * @param step the distance
   */
  public record Range(int from, int to, int step) {}

  /** Copies the list. */
  public ArrayIndices {
    ranges = List.copyOf(ranges);
  }

  /** Reads a value that {@link SlurmValue#ARRAY} allows; numbers beyond all limits are cut. */
  public static ArrayIndices of(String value) {
    String[] parts = value.split("%");
    return new ArrayIndices(
        Stream.of(parts[0].split(",")).map(ArrayIndices::range).toList(),
        parts.length > 1 ? OptionalInt.of(number(parts[1])) : OptionalInt.empty());
  }

  private static Range range(String text) {
    String[] parts = text.split("[-:]");
    int from = number(parts[0]);
    return new Range(
        from, parts.length > 1 ? number(parts[1]) : from, parts.length > 2 ? number(parts[2]) : 1);
  }

  private static int number(String digits) {
    return digits.length() > 9 ? Integer.MAX_VALUE : Integer.parseInt(digits);
  }

  /** The greatest index that is named. */
  public int last() {
    return ranges.stream().mapToInt(Range::to).max().orElse(0);
  }

  /** All indices, each once, in order. */
  public IntStream indices() {
    return ranges.stream()
        .flatMapToInt(
            range ->
                IntStream.iterate(
                    range.from(),
                    index -> index <= range.to() && index >= 0,
                    index -> index + range.step()))
        .distinct()
        .sorted();
  }

  /** Indices in sbatch's words, neighbours together: {@code 0-4,7}. */
  public static String text(List<Integer> indices) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < indices.size(); ) {
      int end = i;
      while (end + 1 < indices.size() && indices.get(end + 1) == indices.get(end) + 1) {
        end++;
      }
      text.append(text.isEmpty() ? "" : ",").append(indices.get(i));
      text.append(end == i ? "" : "-" + indices.get(end));
      i = end + 1;
    }
    return text.toString();
  }
}
