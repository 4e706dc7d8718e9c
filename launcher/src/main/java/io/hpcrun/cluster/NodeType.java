package io.hpcrun.cluster;

import java.util.List;

/**
 * Nodes of a partition that are alike, as {@code sinfo} groups them.
 *
 * @param partition the partition's name
 * @param isDefault whether jobs go there that name no partition
 * @param nodes how many
 * @param cpus of each node, as Slurm counts them
 * @param memoryMib of each node
 * @param gres generic resources of each node, as slurm.conf has them, such as {@code gpu:h100:4};
 *     empty if there are none
 * @param features their features, in Slurm's order
 * @param timeLimit the partition's, as sinfo prints it
 * @param state available or not: {@code up}, {@code down}, {@code drain}, {@code inact}
 */
public record NodeType(
    String partition,
    boolean isDefault,
    int nodes,
    String cpus,
    String memoryMib,
    String gres,
    List<String> features,
    String timeLimit,
    String state) {

  /** What {@code sinfo --format} is to print for {@link #parse}; no field may hold a bar. */
  public static final String FORMAT = "%P|%D|%c|%m|%G|%f|%l|%a";

  /** Parses lines of {@link #FORMAT}. */
  public static List<NodeType> parse(String text) {
    return text.lines()
        .map(line -> line.strip().split("\\|", -1))
        .filter(fields -> fields.length == 8 && fields[1].matches("\\d+"))
        .map(
            fields ->
                new NodeType(
                    fields[0].replaceFirst("\\*$", ""),
                    fields[0].endsWith("*"),
                    Integer.parseInt(fields[1]),
                    fields[2],
                    fields[3],
                    fields[4].equals("(null)") ? "" : fields[4],
                    fields[5].equals("(null)") ? List.of() : List.of(fields[5].split(",")),
                    fields[6],
                    fields[7]))
        .toList();
  }
}
