package io.hpcrun.daemon.api;

import io.hpcrun.daemon.store.StoredLaunch;
import io.hpcrun.daemon.store.StoredNode;
import io.hpcrun.timing.Durations;
import io.hpcrun.timing.LaunchTiming;
import io.hpcrun.timing.RankLine;
import io.hpcrun.timing.Stage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import tools.jackson.core.type.TypeReference;

/** How launches look in the API. Times end in _ns or _s, since the epoch; durations in _ns. */
public final class LaunchDocuments {
  private LaunchDocuments() {}

  /**
   * A launch.
   *
   * @param id its number here
   * @param launch job, restart and number, such as {@code 12_3.0.0}
   * @param state how far it is: unknown, running, ended, refused
   * @param slurmState what Slurm said of a job whose record ends too early
   * @param exit the launch step's exit code
   */
  public record Launch(
      String id,
      String cluster,
      Optional<String> user,
      long uid,
      String launch,
      String job,
      String state,
      Optional<String> slurmState,
      Optional<Long> exit,
      Optional<Long> nodes,
      Optional<Long> ranks,
      Optional<String> partition,
      Optional<String> image,
      Optional<String> imageId,
      Optional<String> command,
      Optional<String> mode,
      Optional<String> mpi,
      Optional<Long> submitS,
      Optional<Long> startS,
      long begunNs,
      Optional<Long> endedNs,
      Optional<String> batchNode) {

    static Launch of(StoredLaunch stored) {
      return new Launch(
          Long.toString(stored.id()),
          stored.key().cluster(),
          stored.user(),
          stored.key().uid(),
          stored.key().launch(),
          stored.job(),
          stored.state().label(),
          stored.slurmState(),
          number(stored.exitCode()),
          number(stored.nodes()),
          number(stored.ranks()),
          stored.partition(),
          stored.image(),
          stored.imageId(),
          stored.command(),
          stored.mode(),
          stored.mpi(),
          time(stored.times().submit()),
          time(stored.times().start()),
          stored.key().begunNs(),
          time(stored.times().launchDone()),
          Optional.of(stored.times().batchNode()).filter(node -> !node.isEmpty()));
    }

    private static Optional<Long> number(OptionalLong value) {
      return value.isPresent() ? Optional.of(value.getAsLong()) : Optional.empty();
    }
  }

  /** Some launches; {@code next} is the parameter {@code after} of the next page. */
  public record Launches(List<Launch> launches, Optional<String> next) {}

  /** How long a stage took, over nodes or ranks. */
  public record StageFigures(
      long count,
      long minNs,
      long medianNs,
      long p95Ns,
      long maxNs,
      Optional<Long> uncertaintyNs,
      Optional<String> slowestNode,
      Optional<Long> slowestRank) {

    static Map<String, StageFigures> of(Map<Stage, Durations.Summary> stages) {
      Map<String, StageFigures> figures = new LinkedHashMap<>();
      stages.forEach((stage, summary) -> figures.put(stage.label(), of(summary)));
      return figures;
    }

    private static StageFigures of(Durations.Summary summary) {
      return new StageFigures(
          summary.count(),
          summary.minimum(),
          summary.median(),
          summary.p95(),
          summary.maximum(),
          Optional.of(summary.uncertainty()).filter(nanoseconds -> nanoseconds > 0),
          Optional.of(summary.slowestNode()).filter(node -> !node.isEmpty()),
          Optional.of(summary.slowestRank()).filter(rank -> rank >= 0));
    }
  }

  /**
   * A launch with its timing.
   *
   * @param record all members of its own record, with the modes in which ranks really entered
   * @param stages over all nodes
   * @param nodesMeasured of each node
   * @param networks how many ranks used which
   * @param remarks what a reader of the figures must know
   */
  public record Timing(
      Launch launch,
      Map<String, Object> record,
      Map<String, StageFigures> stages,
      Map<String, Map<String, StageFigures>> nodesMeasured,
      Map<String, Long> networks,
      Optional<Long> rdmaSentBytes,
      Optional<Long> rdmaReceivedBytes,
      List<String> remarks) {

    static Timing of(StoredLaunch stored, LaunchTiming timing) {
      Map<String, Map<String, StageFigures>> nodes = new LinkedHashMap<>();
      timing.nodes().forEach((node, stages) -> nodes.put(node, StageFigures.of(stages)));
      Map<String, Long> networks = new TreeMap<>();
      timing.networks().forEach((name, network) -> networks.put(name, network.ranks()));
      Map<String, Object> record = new LinkedHashMap<>(new TreeMap<>(timing.texts()));
      record.putAll(new TreeMap<>(timing.numbers()));
      return new Timing(
          Launch.of(stored),
          record,
          StageFigures.of(timing.overall()),
          nodes,
          networks,
          timing.traffic().map(LaunchTiming.Traffic::sent),
          timing.traffic().map(LaunchTiming.Traffic::received),
          timing.remarks());
    }
  }

  /**
   * A node of a launch.
   *
   * @param record all members of its own record
   */
  public record Node(String node, long ranks, Optional<String> mode, Map<String, Object> record) {
    static Node of(StoredNode stored) {
      Map<String, Object> record = members(stored.record());
      Optional<String> mode =
          record.get("mode") instanceof String name ? Optional.of(name) : Optional.empty();
      return new Node(stored.node(), stored.ranks(), mode, record);
    }
  }

  /** Some nodes; {@code next} is the parameter {@code after} of the next page. */
  public record Nodes(List<Node> nodes, Optional<String> next) {}

  /** A rank of a launch. */
  public record Rank(
      long rank,
      String node,
      Optional<Long> local,
      Optional<Long> beginNs,
      Optional<Long> execNs,
      Optional<Long> endNs,
      Optional<String> network,
      Optional<String> evidence) {

    static Rank of(String node, RankLine line) {
      return new Rank(
          line.rank(),
          node,
          time(line.local()),
          time(line.begin()),
          time(line.exec()),
          time(line.end()),
          Optional.of(line.network()).filter(name -> !name.isEmpty()),
          Optional.of(line.evidence()).filter(text -> !text.isEmpty()));
    }
  }

  /** All ranks that were asked for. */
  public record Ranks(List<Rank> ranks) {}

  /** Launches that belong together, and how long their stages took. */
  public record Group(String group, long launches, long ranks, Map<String, StageFigures> stages) {}

  /** All groups. */
  public record Groups(List<Group> groups) {}

  private static Optional<Long> time(long value) {
    return value == RankLine.ABSENT ? Optional.empty() : Optional.of(value);
  }

  private static Map<String, Object> members(String record) {
    return Json.MAPPER.readValue(record, new TypeReference<>() {});
  }
}
