package io.hpcrun.difference;

import io.hpcrun.manifest.Manifest;
import io.hpcrun.manifest.Masking;
import io.hpcrun.spec.ByteString;
import java.io.PrintStream;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Differences for people: sections, in them a line or a few for each. */
public final class DifferenceTable {
  private static final int WIDTH = 100;
  private static final int LONGEST = 400;
  private static final String NONE = "none";

  /** All that is left of a value that is not kept. */
  private static final String MASK = "***";

  private DifferenceTable() {}

  /** Which two are compared, then what differs. */
  public static void print(Side before, Side after, List<Difference> differences, PrintStream out) {
    for (Side side : List.of(before, after)) {
      out.println(printable(title(side)));
    }
    out.println();
    if (differences.isEmpty()) {
      out.println("nothing differs");
    }
    print(differences, "", out);
  }

  /** What differs, each line behind an indent. */
  public static void print(List<Difference> differences, String indent, PrintStream out) {
    Difference.Section section = null;
    for (Difference difference : differences) {
      if (difference.section() != section) {
        section = difference.section();
        out.println(indent + section.label());
      }
      print(difference, indent + "  ", out);
    }
  }

  private static void print(Difference difference, String indent, PrintStream out) {
    String what = printable(difference.what());
    String before = value(difference.before());
    String after = value(difference.after());
    String line = "%s%s: %s -> %s".formatted(indent, what, before, after);
    if (difference.before().equals(MASK) && difference.after().equals(MASK)) {
      out.println("%s%s: %s".formatted(indent, what, difference.note()));
      return;
    } else if (line.length() <= WIDTH) {
      out.println(line);
    } else {
      out.println(indent + what + ":");
      out.println(indent + "    " + before);
      out.println(indent + "    -> " + after);
    }
    if (!difference.note().isEmpty()) {
      out.println(indent + "    " + cut(printable(difference.note())));
    }
  }

  private static String value(String value) {
    if (value.equals(MASK)) {
      return "set";
    }
    return value.isEmpty() ? NONE : cut(printable(value));
  }

  private static String cut(String text) {
    return text.length() <= LONGEST ? text : text.substring(0, LONGEST - 3) + "...";
  }

  /** {@code 12 2026-11-17 09:12:00 ended, exit 0 hpcrun run -N 2 app.sif -- ./app}. */
  private static String title(Side side) {
    StringBuilder title = new StringBuilder("%-8s".formatted(side.name()));
    side.manifest().ifPresent(manifest -> title.append("  ").append(submitted(manifest)));
    Optional<Side.Launch> launch = side.launches().stream().findFirst();
    title.append("  ").append(launch.map(each -> state(each)).orElse("no record of a start"));
    side.manifest()
        .ifPresent(
            manifest -> title.append("  hpcrun ").append(words(manifest.submission().words())));
    return title.length() <= WIDTH ? title.toString() : title.substring(0, WIDTH - 3) + "...";
  }

  private static String submitted(Manifest manifest) {
    return Moment.shown(manifest.submission().time());
  }

  private static String state(Side.Launch launch) {
    String state = launch.timing().texts().getOrDefault("state", "?");
    Long exit = launch.timing().numbers().get("exit");
    return exit == null ? state : state + ", exit " + exit;
  }

  private static String words(List<String> words) {
    return words.stream()
        .map(word -> Masking.shown(ByteString.ofLatin1(word).toString()))
        .collect(Collectors.joining(" "));
  }

  /** Records and manifests are files that somebody may have changed. */
  private static String printable(String text) {
    return text.replaceAll("\\p{Cntrl}", "?");
  }
}
