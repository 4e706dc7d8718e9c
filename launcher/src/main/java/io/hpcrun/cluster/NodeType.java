package io.hpcrun.cluster;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Nodes of a partition that are alike, as {@code sinfo} groups them (sinfo(1), --format).
 *
 * @param partition the partition's name
 * @param isDefault whether jobs go there that name none
 * @param nodes how many there are
 * @param cpus CPUs of each, as Slurm counts them
 * @param memoryMib memory of each in MiB, as Slurm knows it
 * @param gres generic resources of each; empty if none
 * @param features their features, in Slurm's order
 * @param timeLimit the partition's, as sinfo prints it
 * @param state of the partition: {@code up}, {@code down}, {@code drain}, {@code inact}
 * @param layout sockets, cores of each and threads of those, such as {@code 2:32:2}
 * @param down how many of them take no jobs now, because they are down, drained or have failed
 */
public record NodeType(
    String partition,
    boolean isDefault,
    long nodes,
    String cpus,
    String memoryMib,
    String gres,
    List<String> features,
    String timeLimit,
    String state,
    String layout,
    long down) {

  /** What {@code sinfo --exact --format} is to print for {@link #parse}; no field holds a bar. */
  public static final String FORMAT = "%P|%D|%c|%m|%G|%f|%l|%a|%z|%t";

  /** States of nodes that take no jobs before somebody does something (sinfo(1), NODE STATE). */
  private static final Set<String> DOWN =
      Set.of("down", "drain", "drng", "fail", "failg", "err", "error", "inval", "unk", "futr");

  /** Parses lines of {@link #FORMAT}; nodes that differ in their state only are put together. */
  public static List<NodeType> parse(String text) {
    Map<String, NodeType> types = new LinkedHashMap<>();
    text.lines()
        .map(line -> line.strip().split("\\|", -1))
        .filter(fields -> fields.length == 10 && fields[1].matches("\\d{1,9}"))
        .forEach(
            fields -> {
              NodeType type = type(fields);
              fields[1] = "";
              fields[9] = "";
              types.merge(String.join("|", fields), type, NodeType::and);
            });
    return List.copyOf(types.values());
  }

  private static NodeType type(String[] fields) {
    long nodes = Long.parseLong(fields[1]);
    // Behind the word are signs, such as * for a node that does not answer.
    boolean down = DOWN.contains(fields[9].replaceAll("[^a-z].*", ""));
    return new NodeType(
        fields[0].replaceFirst("\\*$", ""),
        fields[0].endsWith("*"),
        nodes,
        fields[2],
        fields[3],
        fields[4].equals("(null)") ? "" : fields[4],
        fields[5].equals("(null)") ? List.of() : List.of(fields[5].split(",")),
        fields[6],
        fields[7],
        fields[8],
        down ? nodes : 0);
  }

  private NodeType and(NodeType alike) {
    return new NodeType(
        partition,
        isDefault,
        nodes + alike.nodes,
        cpus,
        memoryMib,
        gres,
        features,
        timeLimit,
        state,
        layout,
        down + alike.down);
  }

  /** CPUs of each node, as Slurm counts them. */
  public long slurmCpus() {
    return number(cpus);
  }

  /** What Slurm counts as CPUs of a core: its threads, unless slurm.conf says otherwise. */
  public long cpusOfCore() {
    String[] parts = layout.split(":");
    long cores = parts.length == 3 ? number(parts[0]) * number(parts[1]) : 0;
    return cores == 0 ? 1 : Math.max(1, slurmCpus() / cores);
  }

  /** Memory of each node in MiB; 0 if slurm.conf does not say it. */
  public long memory() {
    long memory = number(memoryMib);
    return memory <= 1 ? 0 : memory; // slurm.conf(5): RealMemory is 1 by default
  }

  /**
   * GPUs of each node.
   *
   * @param type only those of a type; empty: all
   */
  public long gpus(String type) {
    if (gres.isEmpty()) {
      return 0;
    }
    long gpus = 0;
    for (String resource : gres.replaceAll("\\([^)]*\\)", "").split(",")) {
      String[] parts = resource.strip().split(":");
      if (parts[0].equals("gpu") && parts.length > 1) {
        boolean wanted = type.isEmpty() || parts.length > 2 && parts[1].equals(type);
        gpus += wanted ? number(parts[parts.length - 1]) : 0;
      }
    }
    return gpus;
  }

  /** The number that a text begins with; 0 if there is none. */
  private static long number(String text) {
    int end = 0;
    while (end < text.length() && text.charAt(end) >= '0' && text.charAt(end) <= '9') {
      end++;
    }
    return end == 0 || end > 15 ? 0 : Long.parseLong(text, 0, end, 10);
  }
}
