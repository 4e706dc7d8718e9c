package io.hpcrun.it;

import io.hpcrun.lab.Outcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What one rank saw of its surroundings, as the image probe tells it: a value for each key, such as
 * {@code env.PATH} or {@code mount./tmp}. Values that are new in each job are replaced by what they
 * stand for.
 */
record Surroundings(SortedMap<String, String> values) {
  /** The value of a key that is not there. */
  static final String ABSENT = "-absent-";

  private static final String LINE_END = "\\x0a";
  private static final String NAMESPACE = "namespace.";
  private static final String LIBRARIES = "/.singularity.d/libs/";
  private static final Pattern NEW_IN_EACH_JOB =
      Pattern.compile(
          "env\\.SLURM_(JOB_?ID|JOB_(START|END)_TIME|STEP_?ID|TASK_PID|SRUN_COMM_PORT"
              + "|STEP_LAUNCHER_PORT)");

  /** A key, and its values in two runs. */
  record Difference(String key, String plain, String other) {
    @Override
    public String toString() {
      return "%s%n      plain: %s%n      here:  %s".formatted(key, plain, other);
    }
  }

  /**
   * The ranks of a job by their number, from its output with labels ({@code srun --label}).
   *
   * @param host the namespaces of the node itself, see {@link #namespacesOf}
   */
  static List<Surroundings> ofRanks(Outcome output, Map<String, String> host) {
    List<Map<String, String>> ranks = read(output.lines());
    List<Surroundings> all = new ArrayList<>();
    for (Map<String, String> rank : ranks) {
      SortedMap<String, String> values = new TreeMap<>(rank);
      values.replaceAll((key, value) -> normal(key, value, host));
      all.add(new Surroundings(values));
    }
    return all;
  }

  /** The namespaces in which probe ran. */
  static Map<String, String> namespacesOf(Outcome output) {
    Map<String, String> namespaces = new HashMap<>(read(output.lines()).getFirst());
    namespaces.keySet().removeIf(key -> !key.startsWith(NAMESPACE));
    return namespaces;
  }

  private static String normal(String key, String value, Map<String, String> host) {
    if (NEW_IN_EACH_JOB.matcher(key).matches()) {
      return "(a new one in each job)";
    } else if (key.startsWith(NAMESPACE)) {
      return value.equals(host.get(key)) ? "the node's" : "the container's";
    } else if (key.equals("file./etc/group")) {
      // Apptainer adds the user's groups in any order.
      return Arrays.stream(value.split(Pattern.quote(LINE_END)))
          .sorted()
          .collect(Collectors.joining(LINE_END));
    } else if (key.equals("mounts in their order")) {
      return inOrder(value);
    }
    return value;
  }

  /** Apptainer binds the GPU's libraries in any order. */
  private static String inOrder(String mounts) {
    List<String> order = new ArrayList<>(List.of(mounts.split(" ")));
    List<String> libraries = order.stream().filter(each -> each.startsWith(LIBRARIES)).toList();
    if (!libraries.isEmpty()) {
      int first = order.indexOf(libraries.getFirst());
      order.removeAll(libraries);
      order.addAll(first, libraries.stream().sorted().toList());
    }
    return String.join(" ", order);
  }

  /** Slurm breaks long lines; only the first piece has the tab after the key. */
  private static List<Map<String, String>> read(List<String> lines) {
    List<Map<String, String>> ranks = new ArrayList<>();
    Map<Integer, String> last = new HashMap<>();
    for (String line : lines) {
      int colon = line.indexOf(": ");
      int rank = Integer.parseInt(line.substring(0, colon).strip());
      String text = line.substring(colon + 2);
      while (ranks.size() <= rank) {
        ranks.add(new TreeMap<>());
      }
      int tab = text.indexOf('\t');
      if (tab < 0) {
        ranks.get(rank).merge(last.get(rank), text, String::concat);
      } else {
        last.put(rank, text.substring(0, tab));
        ranks.get(rank).put(text.substring(0, tab), text.substring(tab + 1));
      }
    }
    return ranks;
  }

  String get(String key) {
    return values.getOrDefault(key, ABSENT);
  }

  List<Difference> differencesTo(Surroundings other) {
    TreeSet<String> keys = new TreeSet<>(values.keySet());
    keys.addAll(other.values.keySet());
    return keys.stream()
        .filter(key -> !get(key).equals(other.get(key)))
        .map(key -> new Difference(key, get(key), other.get(key)))
        .toList();
  }
}
