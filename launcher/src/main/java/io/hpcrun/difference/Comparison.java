package io.hpcrun.difference;

import io.hpcrun.difference.Difference.Section;
import io.hpcrun.manifest.Manifest;
import io.hpcrun.timing.LaunchTiming;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Finds what differs between two launches, the most telling first. */
public final class Comparison {
  /** Texts of a launch's record (docs/records.md) that are no decisions of the planner. */
  private static final Set<String> NO_DECISIONS =
      Set.of(
          "schema",
          "type",
          "launch",
          "job",
          "cluster",
          "state",
          "partition",
          "node",
          "clock",
          "hpcrun",
          "image",
          "image_id",
          "command",
          "mode", // what the nodes did; theirs is compared
          "entered_by",
          "entered_by_reason");

  private final List<Difference> found = new ArrayList<>();
  private final Side before;
  private final Side after;

  private Comparison(Side before, Side after) {
    this.before = before;
    this.after = after;
  }

  /** The differences, in the order of their sections. */
  public static List<Difference> of(Side before, Side after) {
    Comparison comparison = new Comparison(before, after);
    comparison.compare();
    comparison.found.sort(Comparator.comparing(Difference::section));
    return List.copyOf(comparison.found);
  }

  private void compare() {
    Optional<Manifest> one = before.manifest();
    Optional<Manifest> other = after.manifest();
    if (one.isPresent() && other.isPresent()) {
      found.addAll(new ManifestComparison(one.get(), other.get()).differences());
    } else {
      recorded();
    }
    int pairs = Math.min(before.launches().size(), after.launches().size());
    if (before.launches().size() != after.launches().size()
        && !before.launches().isEmpty()
        && !after.launches().isEmpty()) {
      add(
          Section.OUTCOME,
          "launches",
          String.valueOf(before.launches().size()),
          String.valueOf(after.launches().size()));
    }
    for (int i = 0; i < pairs; i++) {
      String prefix = pairs == 1 ? "" : "launch " + i + ": ";
      Side.Launch first = before.launches().get(i);
      Side.Launch second = after.launches().get(i);
      outcome(prefix, first.timing(), second.timing());
      nodes(prefix, first, second);
      found.addAll(TimingComparison.of(prefix, first.timing(), second.timing()));
    }
    missing();
  }

  /** Where one side has only records. */
  private void recorded() {
    Map<String, String> one = recorded(before);
    Map<String, String> other = recorded(after);
    if (one.isEmpty() || other.isEmpty()) {
      return;
    }
    compare(Section.IMAGE, "path", one.get("image"), other.get("image"));
    compare(Section.IMAGE, "id", one.get("image_id"), other.get("image_id"));
    compare(Section.COMMAND, "program", one.get("command"), other.get("command"));
    compare(Section.VERSIONS, "hpcrun", one.get("hpcrun"), other.get("hpcrun"));
    compare(Section.OPTIONS, "partition", one.get("partition"), other.get("partition"));
    Set<String> decisions = new TreeSet<>(one.keySet());
    decisions.addAll(other.keySet());
    decisions.removeAll(NO_DECISIONS);
    decisions.forEach(name -> compare(Section.DECISIONS, name, one.get(name), other.get(name)));
  }

  private static Map<String, String> recorded(Side side) {
    return side.launches().isEmpty() ? Map.of() : side.launches().getFirst().timing().texts();
  }

  /** What could not be compared is said, not passed over. */
  private void missing() {
    for (Side side : List.of(before, after)) {
      Side other = side.equals(before) ? after : before;
      if (side.manifest().isEmpty() && other.manifest().isPresent()) {
        found.add(
            new Difference(
                Section.OUTCOME,
                "manifest",
                side.equals(before) ? "none" : "kept",
                side.equals(before) ? "kept" : "none",
                "options, environment and most versions cannot be compared"));
      }
      if (side.launches().isEmpty() && !other.launches().isEmpty()) {
        found.add(
            new Difference(
                Section.OUTCOME,
                "records",
                side.equals(before) ? "none" : "kept",
                side.equals(before) ? "kept" : "none",
                "outcome, nodes and timing cannot be compared"));
      }
    }
  }

  private void outcome(String prefix, LaunchTiming one, LaunchTiming other) {
    compare(
        Section.OUTCOME, prefix + "state", one.texts().get("state"), other.texts().get("state"));
    compare(Section.OUTCOME, prefix + "exit code", number(one, "exit"), number(other, "exit"));
    compare(Section.OUTCOME, prefix + "ranks", number(one, "ranks"), number(other, "ranks"));
    compare(
        Section.NODES,
        prefix + "ranks entered by",
        one.texts().get("entered_by"),
        other.texts().get("entered_by"));
    compare(Section.NODES, prefix + "networks used", networks(one), networks(other));
  }

  private static String number(LaunchTiming timing, String name) {
    return Optional.ofNullable(timing.numbers().get(name)).map(String::valueOf).orElse(null);
  }

  /** Null where nobody looked: ranks that end soon are not watched. */
  private static String networks(LaunchTiming timing) {
    return timing.networks().isEmpty() ? null : String.join(" and ", timing.networks().keySet());
  }

  private void nodes(String prefix, Side.Launch first, Side.Launch second) {
    Map<String, Map<String, String>> one = first.nodes();
    Map<String, Map<String, String>> other = second.nodes();
    if (one.isEmpty() || other.isEmpty()) {
      return;
    }
    if (!one.keySet().equals(other.keySet())) {
      add(Section.NODES, prefix + "nodes", list(one.keySet()), list(other.keySet()));
    }
    // Of nodes of older versions less is known, which says nothing of them.
    boolean told = NodeFacts.areTold(one) && NodeFacts.areTold(other);
    for (String fact : NodeFacts.names()) {
      Map<String, String> before = values(one, fact);
      Map<String, String> after = values(other, fact);
      if (told || !before.isEmpty() && !after.isEmpty()) {
        fact(prefix, fact, before, after);
      }
    }
  }

  /** A fact differs if it changed on a node, or if other nodes have other values. */
  private void fact(
      String prefix, String fact, Map<String, String> one, Map<String, String> other) {
    boolean changed =
        one.keySet().stream()
            .anyMatch(node -> other.containsKey(node) && !one.get(node).equals(other.get(node)));
    if (one.isEmpty() || other.isEmpty()) {
      changed = !one.keySet().equals(other.keySet()) && isOfDevices(fact);
    }
    Set<String> values = new TreeSet<>(one.values());
    boolean others =
        !one.isEmpty() && !other.isEmpty() && !values.equals(Set.copyOf(other.values()));
    if (changed || others) {
      add(Section.NODES, prefix + fact, grouped(one), grouped(other));
    }
  }

  /** Whether nodes that do not have it differ from those that do; others only tell more or less. */
  private static boolean isOfDevices(String fact) {
    return fact.endsWith("driver") || NodeFacts.DEVICES.contains(fact);
  }

  private static Map<String, String> values(Map<String, Map<String, String>> nodes, String fact) {
    Map<String, String> values = new TreeMap<>();
    nodes.forEach(
        (node, facts) -> {
          if (facts.containsKey(fact)) {
            values.put(node, facts.get(fact));
          }
        });
    return values;
  }

  /** One value, or each with its nodes. */
  private static String grouped(Map<String, String> values) {
    Map<String, Set<String>> nodes = new TreeMap<>();
    values.forEach(
        (node, value) -> nodes.computeIfAbsent(value, each -> new TreeSet<>()).add(node));
    if (nodes.size() == 1) {
      return nodes.keySet().iterator().next();
    }
    List<String> groups = new ArrayList<>();
    nodes.forEach((value, on) -> groups.add(value + " (" + list(on) + ")"));
    return String.join(", ", groups);
  }

  private static String list(Set<String> nodes) {
    return NodeList.of(nodes);
  }

  private void compare(Section section, String what, String one, String other) {
    if (one != null && other != null && !one.equals(other)) {
      add(section, what, one, other);
    }
  }

  private void add(Section section, String what, String one, String other) {
    found.add(new Difference(section, what, one, other, ""));
  }
}
