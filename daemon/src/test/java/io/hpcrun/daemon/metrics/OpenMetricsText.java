package io.hpcrun.daemon.metrics;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a text in the OpenMetrics format 1.0, and refuses what the format forbids: a reader of its
 * own, so that the library which writes it is not its own judge.
 */
public final class OpenMetricsText {
  private static final Pattern META =
      Pattern.compile("# (TYPE|HELP|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)");
  private static final Pattern SAMPLE =
      Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(.*)})? ([^ ]+)");
  private static final Pattern LABEL =
      Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\]|\\\\[\\\\\"n])*)\"(,(?=[^,])|$)");

  /** What a sample's name may end with behind its family's name (OpenMetrics 1.0, suffixes). */
  private static final Map<String, Set<String>> SUFFIXES =
      Map.of(
          "counter", Set.of("_total", "_created"),
          "gauge", Set.of(""),
          "histogram", Set.of("_bucket", "_count", "_sum", "_created"));

  private record Family(String type, Map<String, List<String>> more) {}

  private final Map<String, Family> families = new LinkedHashMap<>();
  private final Map<String, Double> samples = new LinkedHashMap<>();
  private final Set<String> left = new HashSet<>();
  private String current = "";

  private OpenMetricsText() {}

  /** Reads a whole text. */
  public static OpenMetricsText read(String text) {
    OpenMetricsText read = new OpenMetricsText();
    if (!text.endsWith("\n# EOF\n") || text.contains("\r")) {
      throw new AssertionError("it does not end with # EOF");
    }
    List<String> lines = text.lines().toList();
    lines.subList(0, lines.size() - 1).forEach(read::line);
    read.families.forEach(
        (name, family) -> {
          if (family.type().equals("histogram")) {
            read.checkHistogram(name);
          }
        });
    return read;
  }

  private void line(String line) {
    Matcher meta = META.matcher(line);
    if (meta.matches()) {
      meta(meta.group(1), meta.group(2), meta.group(3));
      return;
    }
    Matcher sample = SAMPLE.matcher(line);
    if (!sample.matches()) {
      throw new AssertionError("no line of the format: " + line);
    }
    sample(sample.group(1), labels(sample.group(2), line), number(sample.group(3)), line);
  }

  private void meta(String what, String name, String value) {
    if (!name.equals(current)) {
      if (!left.add(name)) {
        throw new AssertionError("the family " + name + " is interrupted by another one");
      }
      current = name;
    }
    if (what.equals("TYPE") && !SUFFIXES.containsKey(value)) {
      throw new AssertionError(name + " is of the type " + value);
    }
    if (what.equals("UNIT") && !name.endsWith("_" + value)) {
      throw new AssertionError(name + " does not end with its unit " + value);
    }
    Family family = what.equals("TYPE") ? new Family(value, new HashMap<>()) : families.get(name);
    if (family == null || families.put(name, family) != null && what.equals("TYPE")) {
      throw new AssertionError("the type of " + name + " comes late or twice");
    }
    if (family.more().put(what, List.of(value)) != null) {
      throw new AssertionError(what + " of " + name + " comes twice");
    }
  }

  private void sample(String name, Map<String, String> labels, double value, String line) {
    Family family = families.get(current);
    if (family == null
        || !name.startsWith(current)
        || !SUFFIXES.get(family.type()).contains(name.substring(current.length()))) {
      throw new AssertionError("a sample that is not of " + current + ": " + line);
    }
    if (family.type().equals("counter") && !(value >= 0)) {
      throw new AssertionError("a counter that is negative: " + line);
    }
    if (samples.put(name + labels, value) != null) {
      throw new AssertionError("a sample that comes twice: " + line);
    }
  }

  /** Buckets grow, end with +Inf, and that one counts all. */
  private void checkHistogram(String name) {
    Map<String, TreeMap<Double, Double>> buckets = new LinkedHashMap<>();
    Map<String, Double> counts = new HashMap<>();
    samples.forEach(
        (key, value) -> {
          if (key.startsWith(name + "_bucket{")) {
            String bound = key.replaceFirst(".*\\ble=([^,}]*).*", "$1");
            buckets
                .computeIfAbsent(
                    key.replaceFirst("le=[^,}]*(, )?", "").replace(name + "_bucket", ""),
                    series -> new TreeMap<>())
                .put(number(bound), value);
          } else if (key.startsWith(name + "_count")) {
            counts.put(key.substring((name + "_count").length()), value);
          }
        });
    if (!buckets.keySet().equals(counts.keySet())) {
      throw new AssertionError(name + ": " + buckets.keySet() + " are not " + counts.keySet());
    }
    buckets.forEach(
        (series, counted) -> {
          double before = 0;
          for (double each : counted.values()) {
            if (each < before) {
              throw new AssertionError(name + series + " shrinks: " + counted);
            }
            before = each;
          }
          if (counted.lastKey() != Double.POSITIVE_INFINITY || before != counts.get(series)) {
            throw new AssertionError(name + series + " does not count all: " + counted);
          }
        });
  }

  private static Map<String, String> labels(String text, String line) {
    Map<String, String> labels = new TreeMap<>();
    Matcher label = LABEL.matcher(text == null ? "" : text);
    int end = 0;
    while (label.find() && label.start() == end) {
      if (labels.put(label.group(1), label.group(2)) != null) {
        throw new AssertionError("a label that comes twice: " + line);
      }
      end = label.end();
    }
    if (text != null && end != text.length()) {
      throw new AssertionError("labels that are none: " + line);
    }
    return labels;
  }

  private static double number(String text) {
    return text.equals("+Inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(text);
  }

  /**
   * The value of a sample, such as {@code ends_total, outcome, failed}; empty if it is not there.
   */
  public Optional<Double> value(String name, String... labels) {
    Map<String, String> wanted = new TreeMap<>();
    for (int i = 0; i < labels.length; i += 2) {
      wanted.put(labels[i], labels[i + 1]);
    }
    return Optional.ofNullable(samples.get(name + wanted));
  }

  /** The samples of a name that are not zero, by their labels. */
  public Map<String, Double> nonZero(String name) {
    Map<String, Double> found = new TreeMap<>();
    samples.forEach(
        (key, value) -> {
          if (key.startsWith(name + "{") && value != 0) {
            found.put(key.substring(name.length()), value);
          }
        });
    return found;
  }

  /** The names of all families. */
  public List<String> families() {
    return new ArrayList<>(families.keySet());
  }
}
