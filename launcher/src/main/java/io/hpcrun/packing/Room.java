package io.hpcrun.packing;

import io.hpcrun.cluster.NodeType;
import io.hpcrun.cluster.Partition;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.ToLongFunction;

/**
 * Whether a job can start in a partition, and on how many nodes at least. All nodes get the same
 * share, so that a node is of use from a certain number of nodes on: the one with which its share
 * is no more than it has. Nodes are taken in the order of these numbers until there are enough.
 */
final class Room {
  private final Wish wish;
  private final Partition partition;
  private final Shape shape;

  /**
   * Nodes that are alike.
   *
   * @param type what they have
   * @param from the number of nodes from which on they are of use
   */
  private record Kind(NodeType type, long from) {}

  /**
   * What came out.
   *
   * @param fit the way to start it
   * @param reason why it can never start; empty if it can
   */
  record Verdict(Optional<Fit> fit, String reason) {}

  Room(Wish wish, Partition partition, Shape shape) {
    this.wish = wish;
    this.partition = partition;
    this.shape = shape;
  }

  Verdict verdict() {
    Optional<String> closed = closed();
    if (closed.isPresent()) {
      return new Verdict(Optional.empty(), closed.get());
    }
    List<NodeType> types =
        partition.nodes().stream().filter(type -> wish.isMetBy(type.features())).toList();
    List<Kind> kinds = new ArrayList<>();
    for (NodeType type : types) {
      from(type).ifPresent(from -> kinds.add(new Kind(type, from)));
    }
    if (kinds.isEmpty()) {
      return new Verdict(Optional.empty(), tooSmall(types));
    }
    kinds.sort(
        Comparator.comparingLong(Kind::from)
            .thenComparing(kind -> -partition.cores(kind.type()))
            .thenComparing(kind -> -partition.memory(kind.type())));
    boolean down = partition.state().equals("DOWN");
    Optional<Fit> fit =
        fit(kinds, type -> down ? 0 : type.nodes() - type.down(), false)
            .or(() -> fit(kinds, NodeType::nodes, true));
    return new Verdict(fit, fit.isPresent() ? "" : tooFew(kinds));
  }

  private Optional<String> closed() {
    OptionalLong limit = partition.maxTime();
    if (!partition.state().matches("UP|DOWN")) {
      return Optional.of("it takes no jobs (%s)".formatted(partition.state()));
    }
    if (partition.is("RootOnly")) {
      return Optional.of("it is for root only");
    }
    if (partition.is("ReqResv") && !wish.reserved()) {
      return Optional.of("it is for reservations only");
    }
    if (limit.isPresent() && wish.seconds().orElse(0) > limit.getAsLong()) {
      return Optional.of("jobs end there after " + partition.fields().get("MaxTime"));
    }
    return refused("Accounts", "account", wish.account())
        .or(() -> refused("Qos", "QOS", wish.qos()));
  }

  private Optional<String> refused(String kind, String what, Optional<String> name) {
    return name.filter(each -> !partition.allows(kind, each))
        .map(each -> "it is not for the %s %s".formatted(what, each));
  }

  /** From which number of nodes on such nodes are of use; empty: never. */
  private OptionalLong from(NodeType type) {
    Resources all = wish.resources();
    long ranks = partition.cores(type) / shape.cores();
    long memory = partition.memory(type);
    long gpus = type.gpus(all.gpuType());
    if (ranks == 0 || all.memory() > 0 && memory == 0 || all.gpus() > 0 && gpus == 0) {
      return OptionalLong.empty();
    }
    long from = Math.max(1, Shape.above(shape.ranks(), ranks));
    if (all.memory() > 0) {
      from = Math.max(from, Shape.above(all.memory(), memory));
    }
    if (all.gpus() > 0) {
      from = Math.max(from, Shape.above(all.gpus(), gpus));
    }
    return OptionalLong.of(Math.max(from, partition.minNodes()));
  }

  /** The most nodes that the job can have: no node is without a rank. */
  private long most() {
    return Math.min(partition.limit("MaxNodes"), shape.ranks(Long.MAX_VALUE));
  }

  private Optional<Fit> fit(List<Kind> kinds, ToLongFunction<NodeType> nodes, boolean waits) {
    long enough = 0;
    for (int i = 0; i < kinds.size(); i++) {
      Kind kind = kinds.get(i);
      enough += nodes.applyAsLong(kind.type());
      if (kind.from() <= Math.min(enough, most())) {
        long even = evenly(kinds.subList(i + 1, kinds.size()), nodes, enough, kind.from());
        return Optional.of(new Fit(partition, shape, even, kind.type(), waits));
      }
    }
    return Optional.empty();
  }

  /**
   * The fewest nodes over which the GPUs divide, so that none is idle; if that takes more than
   * twice as many nodes, the fewest.
   */
  private long evenly(List<Kind> others, ToLongFunction<NodeType> nodes, long enough, long fewest) {
    int next = 0;
    long all = enough;
    for (long number = fewest; number <= Math.min(2 * fewest, most()); number++) {
      while (next < others.size() && others.get(next).from() <= number) {
        all += nodes.applyAsLong(others.get(next).type());
        next++;
      }
      if (number <= all && wish.resources().gpus() % number == 0) {
        return number;
      }
    }
    return fewest;
  }

  private String tooSmall(List<NodeType> types) {
    String gpus = wish.resources().gpuType();
    if (types.isEmpty()) {
      return wish.constraint().isEmpty()
          ? "it has no nodes"
          : "it has no nodes with " + wish.constraint();
    }
    if (wish.resources().gpus() > 0 && types.stream().allMatch(type -> type.gpus(gpus) == 0)) {
      return "its nodes have no GPUs" + (gpus.isEmpty() ? "" : " of type " + gpus);
    }
    if (wish.resources().memory() > 0
        && types.stream().allMatch(type -> partition.memory(type) == 0)) {
      return "how much memory its nodes have is not declared";
    }
    long cores = types.stream().mapToLong(partition::cores).max().orElse(0);
    return cores < shape.cores()
        ? "a rank of %s is more than a node has, which is %d"
            .formatted(Resources.count(shape.cores(), "core"), cores)
        : "no node of it has all that is needed";
  }

  /** Says what is nearest. */
  private String tooFew(List<Kind> kinds) {
    long all = 0;
    long missing = Long.MAX_VALUE;
    String reason = "";
    for (Kind kind : kinds) {
      all += kind.type().nodes();
      if (kind.from() - all < missing && kind.from() > all) {
        missing = kind.from() - all;
        reason = needs(kind) + ", and it has %d".formatted(all);
      }
      if (kind.from() <= all) {
        long limit = partition.limit("MaxNodes");
        return needs(kind)
            + (kind.from() > limit
                ? ", and a job may have %d there".formatted(limit)
                : ", which are more than there are ranks");
      }
    }
    return reason;
  }

  private String needs(Kind kind) {
    return "it takes %s of %s"
        .formatted(Resources.count(kind.from(), "node"), has(partition, kind.type(), wish));
  }

  /** What of interest a node has, for people. */
  static String has(Partition partition, NodeType type, Wish wish) {
    return Resources.shown(
        partition.cores(type),
        wish.resources().memory() == 0 ? 0 : partition.memory(type),
        wish.resources().gpus() == 0 ? 0 : type.gpus(wish.resources().gpuType()));
  }
}
