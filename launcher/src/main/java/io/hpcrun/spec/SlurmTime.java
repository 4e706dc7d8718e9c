package io.hpcrun.spec;

import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Lengths of time in sbatch's words (sbatch(1), {@code --time}). */
public final class SlurmTime {
  private static final Pattern CLOCK = Pattern.compile("(\\d+)(?::(\\d+))?(?::(\\d+))?");
  private static final Pattern DAYS = Pattern.compile("(\\d+)-(\\d+)(?::(\\d+))?(?::(\\d+))?");

  private SlurmTime() {}

  /**
   * The seconds of a time: {@code 30} (minutes), {@code M:S}, {@code H:M:S}, {@code D-H}, {@code
   * D-H:M} or {@code D-H:M:S}.
   *
   * @return empty for what has no end, and for what is no time
   */
  public static OptionalLong seconds(String time) {
    Matcher days = DAYS.matcher(time);
    if (days.matches()) {
      return OptionalLong.of(
          86_400 * number(days.group(1))
              + 3_600 * number(days.group(2))
              + 60 * number(days.group(3))
              + number(days.group(4)));
    }
    Matcher clock = CLOCK.matcher(time);
    if (!clock.matches()) {
      return OptionalLong.empty();
    }
    long first = number(clock.group(1));
    if (clock.group(3) != null) {
      return OptionalLong.of(3_600 * first + 60 * number(clock.group(2)) + number(clock.group(3)));
    }
    return OptionalLong.of(60 * first + number(clock.group(2)));
  }

  /** At most eleven digits, which no sum of them lets overflow. */
  private static long number(String digits) {
    return digits == null
        ? 0
        : Long.parseLong(digits.length() > 11 ? digits.substring(0, 11) : digits);
  }
}
