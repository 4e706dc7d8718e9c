package io.hpcrun.timing;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;

/** The timing of a launch as a table for people. */
public final class TimingTable {
  /** Up to this many nodes each has its own lines. */
  private static final int NODES_SHOWN = 16;

  private static final String ROW = "%-9s %-12s %7s %10s %10s %10s %10s  %s%n";

  private TimingTable() {}

  /** Prints the table. */
  public static void print(LaunchTiming timing, PrintStream out) {
    out.println(printable(title(timing)));
    out.printf(ROW, "stage", "node", "count", "min", "median", "p95", "max", "slowest");
    boolean nodesShown = timing.nodes().size() > 1 && timing.nodes().size() <= NODES_SHOWN;
    timing
        .overall()
        .forEach(
            (stage, summary) -> {
              boolean perNode =
                  timing.nodes().values().stream().anyMatch(stages -> stages.containsKey(stage));
              row(out, stage.label(), perNode ? "all" : "-", summary);
              if (perNode && nodesShown) {
                timing
                    .nodes()
                    .forEach(
                        (node, stages) -> {
                          if (stages.containsKey(stage)) {
                            row(out, "", node, stages.get(stage));
                          }
                        });
              }
            });
    timing.networks().forEach((name, network) -> network(out, name, network));
    timing
        .traffic()
        .ifPresent(
            traffic ->
                out.printf(
                    "ports     sent %s, received %s over RDMA, the launch's and others'%n",
                    size(traffic.sent()), size(traffic.received())));
    timing.remarks().forEach(remark -> out.println("note: " + printable(remark)));
  }

  private static String size(long bytes) {
    String[] units = {"B", "kB", "MB", "GB", "TB", "PB"};
    double value = bytes;
    int unit = 0;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    return (unit == 0 ? "%.0f %s" : "%.1f %s").formatted(value, units[unit]);
  }

  private static void network(PrintStream out, String name, LaunchTiming.Network network) {
    LaunchTiming.Rank example = network.example();
    out.println(
        printable(
            "network   %s: %d rank%s%s"
                .formatted(
                    name,
                    network.ranks(),
                    network.ranks() == 1 ? "" : "s",
                    example.evidence().isEmpty()
                        ? ""
                        : ", such as rank %d on %s (%s)"
                            .formatted(example.rank(), example.node(), example.evidence()))));
  }

  /** Prints one line for each rank. */
  public static void printRank(LaunchTiming.Rank rank, PrintStream out) {
    StringBuilder line = new StringBuilder("rank %-7d %-12s".formatted(rank.rank(), rank.node()));
    for (Map.Entry<Stage, Long> stage : rank.stages().entrySet()) {
      line.append("  %s %s".formatted(stage.getKey().label(), Durations.show(stage.getValue())));
    }
    if (!rank.network().isEmpty()) {
      line.append("  network ").append(rank.network());
    }
    out.println(printable(line.toString()));
  }

  private static String title(LaunchTiming timing) {
    Map<String, String> texts = timing.texts();
    Map<String, Long> numbers = timing.numbers();
    StringBuilder title = new StringBuilder("launch ").append(texts.getOrDefault("launch", "?"));
    if (texts.containsKey("image")) {
      title.append("  ").append(Path.of(texts.get("image")).getFileName());
    }
    title.append("  mode ").append(texts.getOrDefault("mode", "?"));
    title.append(", mpi ").append(texts.getOrDefault("mpi", "?"));
    count(title, numbers.get("nodes"), "node");
    count(title, numbers.get("ranks"), "rank");
    title.append("  ").append(texts.getOrDefault("state", "?"));
    if (numbers.containsKey("exit")) {
      title.append(", exit ").append(numbers.get("exit"));
    }
    return title.toString();
  }

  private static void count(StringBuilder title, Long count, String what) {
    if (count != null) {
      title.append("  ").append(count).append(' ').append(what).append(count == 1 ? "" : "s");
    }
  }

  private static void row(PrintStream out, String stage, String node, Durations.Summary summary) {
    StringBuilder slowest = new StringBuilder(summary.slowestNode());
    if (summary.slowestRank() >= 0) {
      slowest.append(" rank ").append(summary.slowestRank());
    }
    if (summary.uncertainty() > 0) {
      slowest.append(slowest.isEmpty() ? "" : " ");
      slowest.append("(+-").append(Durations.show(summary.uncertainty())).append(')');
    }
    out.printf(
        ROW,
        stage,
        printable(node),
        summary.count(),
        Durations.show(summary.minimum()),
        Durations.show(summary.median()),
        Durations.show(summary.p95()),
        Durations.show(summary.maximum()),
        printable(slowest.toString()));
  }

  /** A record is a file that somebody may have changed: no control character reaches a terminal. */
  private static String printable(String text) {
    return text.replaceAll("\\p{Cntrl}", "?");
  }
}
