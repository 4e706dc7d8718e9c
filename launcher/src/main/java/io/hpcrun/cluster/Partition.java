package io.hpcrun.cluster;

import io.hpcrun.spec.SlurmTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A partition: its nodes, and what of them a job may have.
 *
 * @param name its name
 * @param fields what {@code scontrol show partition} says of it, such as {@code MaxNodes}
 * @param nodes its nodes, those that are alike together
 */
public record Partition(String name, Map<String, String> fields, List<NodeType> nodes) {
  private static final String UNLIMITED = "UNLIMITED";

  /** Copies map and list. */
  public Partition {
    fields = Map.copyOf(fields);
    nodes = List.copyOf(nodes);
  }

  /**
   * Puts together what Slurm says of partitions and of nodes.
   *
   * @param text what {@code scontrol --oneliner show partition} prints
   * @param types the nodes of all partitions
   */
  public static List<Partition> parse(String text, List<NodeType> types) {
    Map<String, List<NodeType>> nodes =
        types.stream().collect(Collectors.groupingBy(NodeType::partition));
    return text.lines()
        .map(Partition::fields)
        .filter(fields -> fields.containsKey("PartitionName"))
        .map(
            fields -> {
              String name = fields.get("PartitionName");
              return new Partition(name, fields, nodes.getOrDefault(name, List.of()));
            })
        .toList();
  }

  private static Map<String, String> fields(String line) {
    Map<String, String> fields = new HashMap<>();
    for (String field : line.strip().split(" +")) {
      int equals = field.indexOf('=');
      if (equals > 0) {
        fields.putIfAbsent(field.substring(0, equals), field.substring(equals + 1));
      }
    }
    return fields;
  }

  /** Whether jobs go there that name none. */
  public boolean isDefault() {
    return is("Default");
  }

  /** Whether it starts jobs, is {@code DOWN} and takes them, or takes none. */
  public String state() {
    return fields.getOrDefault("State", "UP");
  }

  /** Whether a field says YES. */
  public boolean is(String field) {
    return fields.getOrDefault(field, "").equals("YES");
  }

  /** The longest that a job may run, in seconds; empty: as long as it wants. */
  public OptionalLong maxTime() {
    return SlurmTime.seconds(fields.getOrDefault("MaxTime", UNLIMITED));
  }

  /** A limit; {@link Long#MAX_VALUE} if there is none. */
  public long limit(String field) {
    String value = fields.getOrDefault(field, UNLIMITED);
    return value.matches("\\d{1,15}") ? Long.parseLong(value) : Long.MAX_VALUE;
  }

  /** Nodes that a job must have. */
  public long minNodes() {
    long nodes = limit("MinNodes");
    return nodes == Long.MAX_VALUE ? 0 : nodes;
  }

  /** Cores of a node that a job may have. */
  public long cores(NodeType type) {
    return Math.min(type.slurmCpus(), limit("MaxCPUsPerNode")) / type.cpusOfCore();
  }

  /** Memory of a node that a job may have, in MiB; 0 if slurm.conf does not say it. */
  public long memory(NodeType type) {
    long ofCpu = limit("MaxMemPerCPU");
    return Math.min(
        Math.min(type.memory(), limit("MaxMemPerNode")),
        ofCpu == Long.MAX_VALUE ? ofCpu : ofCpu * cores(type) * type.cpusOfCore());
  }

  /**
   * Whether jobs of an account or a QOS may run there.
   *
   * @param kind {@code Accounts} or {@code Qos}
   */
  public boolean allows(String kind, String name) {
    String allowed = fields.getOrDefault("Allow" + kind, "ALL");
    return (allowed.equals("ALL") || names(allowed).contains(name))
        && !names(fields.getOrDefault("Deny" + kind, "")).contains(name);
  }

  private static Set<String> names(String list) {
    return Stream.of(list.split(",")).collect(Collectors.toSet());
  }
}
