package io.hpcrun.difference;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Nodes' names in short, as Slurm writes them: {@code c[1-3,7],login}. */
final class NodeList {
  private static final Pattern NUMBERED = Pattern.compile("(.*?)(\\d{1,9})");

  private NodeList() {}

  static String of(Collection<String> nodes) {
    Map<String, SortedMap<Integer, String>> numbered = new TreeMap<>();
    List<String> parts = new ArrayList<>();
    for (String node : nodes) {
      Matcher name = NUMBERED.matcher(node);
      if (name.matches()) {
        // Numbers of different widths, such as 9 and 09, are different names.
        String digits = name.group(2);
        String group = name.group(1) + (digits.startsWith("0") ? "\0" + digits.length() : "");
        numbered
            .computeIfAbsent(group, each -> new TreeMap<>())
            .put(Integer.parseInt(digits), digits);
      } else {
        parts.add(node);
      }
    }
    numbered.forEach(
        (group, numbers) -> {
          String prefix = group.split("\0", -1)[0];
          String ranges = ranges(numbers);
          parts.add(numbers.size() == 1 ? prefix + ranges : prefix + "[" + ranges + "]");
        });
    return String.join(",", parts.stream().sorted().toList());
  }

  private static String ranges(SortedMap<Integer, String> numbers) {
    List<String> ranges = new ArrayList<>();
    List<Integer> all = List.copyOf(numbers.keySet());
    for (int from = 0; from < all.size(); ) {
      int to = from;
      while (to + 1 < all.size() && all.get(to + 1) == all.get(to) + 1) {
        to++;
      }
      String first = numbers.get(all.get(from));
      String last = numbers.get(all.get(to));
      ranges.add(from == to ? first : first + "-" + last);
      from = to + 1;
    }
    return String.join(",", ranges);
  }
}
