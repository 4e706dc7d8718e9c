package io.hpcrun.policy;

import io.hpcrun.yaml.Shape;
import io.hpcrun.yaml.YamlValue;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Numbers of policy files and messages: counts, times and sizes, with their units. */
final class Quantity {
  private static final Map<String, Long> SIZES =
      Map.of("K", 1L << 10, "M", 1L << 20, "G", 1L << 30, "T", 1L << 40);

  /** Slurm's days-hours:minutes:seconds. */
  private static final Pattern CLOCK =
      Pattern.compile("(?:([0-9]{1,5})-)?([0-9]{1,4}):([0-9]{2}):([0-9]{2})");

  private Quantity() {}

  /** As it is written in a policy file. */
  static long read(Fact.Type type, YamlValue value) {
    return switch (type) {
      case SECONDS -> seconds(value);
      case BYTES -> Shape.Size.bytes(value);
      default -> value.integer(0, 1_000_000_000);
    };
  }

  private static long seconds(YamlValue value) {
    String text = value.text();
    if (text.equals("unlimited")) {
      return Value.UNLIMITED;
    }
    Matcher clock = CLOCK.matcher(text);
    if (clock.matches()) {
      long days = clock.group(1) == null ? 0 : Long.parseLong(clock.group(1));
      return ((days * 24 + Long.parseLong(clock.group(2))) * 60 + Long.parseLong(clock.group(3)))
              * 60
          + Long.parseLong(clock.group(4));
    }
    return Shape.Time.duration(value).toSeconds();
  }

  /** As messages have it. */
  static String text(Fact.Type type, long value) {
    return switch (type) {
      case SECONDS -> seconds(value);
      case BYTES -> bytes(value);
      default -> Long.toString(value);
    };
  }

  private static String seconds(long value) {
    if (value >= 86_400L * 100_000) {
      return "unlimited";
    }
    String clock = "%02d:%02d:%02d".formatted(value / 3600 % 24, value / 60 % 60, value % 60);
    return value >= 86_400 ? value / 86_400 + "-" + clock : clock;
  }

  private static String bytes(long value) {
    for (String unit : List.of("T", "G", "M", "K")) {
      long size = SIZES.get(unit);
      if (value >= size && value % size == 0) {
        return value / size + unit;
      }
    }
    return Long.toString(value);
  }
}
