package io.hpcrun.daemon.api;

import io.hpcrun.daemon.store.StoredLaunch;
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
   * @param imageSource where the image store pulled the image from, while it has it
   * @param mode how ranks entered, as their nodes told, such as {@code exec and join}; absent until
   *     then
   * @param plannedMode how they were meant to
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
      Optional<String> imageSource,
      Optional<String> imageId,
      Optional<String> command,
      Optional<String> mode,
      Optional<String> plannedMode,
      Optional<String> mpi,
      Optional<Long> submitS,
      Optional<Long> startS,
      long begunNs,
      Optional<Long> endedNs,
      Optional<String> batchNode) {

    /** The launch, with the sources of the image store's images by their paths. */
    static Launch of(StoredLaunch stored, Map<String, String> sources) {
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
          stored.image().map(sources::get),
          stored.imageId(),
          stored.command(),
          stored.entered(),
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
   * @param nodesMeasured of the first nodes, by their names
   * @param nodesNext the last of them, if there are more
   * @param networks how many ranks used which
   * @param remarks what a reader of the figures must know
   */
  public record Timing(
      Launch launch,
      Map<String, Object> record,
      Map<String, StageFigures> stages,
      Map<String, Map<String, StageFigures>> nodesMeasured,
      Optional<String> nodesNext,
      Map<String, Long> networks,
      Optional<Long> rdmaSentBytes,
      Optional<Long> rdmaReceivedBytes,
      List<String> remarks) {

    static Timing of(
        StoredLaunch stored,
        LaunchTiming timing,
        NodesMeasured first,
        Map<String, String> sources) {
      Map<String, Long> networks = new TreeMap<>();
      timing.networks().forEach((name, network) -> networks.put(name, network.ranks()));
      Map<String, Object> record = new LinkedHashMap<>(new TreeMap<>(timing.texts()));
      record.putAll(new TreeMap<>(timing.numbers()));
      return new Timing(
          Launch.of(stored, sources),
          record,
          StageFigures.of(timing.overall()),
          first.nodesMeasured(),
          first.next(),
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
  public record Node(String node, long ranks, Optional<String> mode, Map<String, Object> record) {}

  /** Some nodes; {@code next} is the parameter {@code after} of the next page. */
  public record Nodes(List<Node> nodes, Optional<String> next) {}

  /** Some nodes' stages; {@code next} is the parameter {@code after} of the next page. */
  public record NodesMeasured(
      Map<String, Map<String, StageFigures>> nodesMeasured, Optional<String> next) {}

  /**
   * A rank of a launch.
   *
   * @param stagesNs how long its own stages took: spawn, bind, run
   */
  public record Rank(
      long rank,
      String node,
      Optional<Long> local,
      Optional<Long> beginNs,
      Optional<Long> execNs,
      Optional<Long> endNs,
      Map<String, Long> stagesNs,
      Optional<String> network,
      Optional<String> evidence) {

    static Rank of(String node, RankLine line, Map<String, Long> stagesNs) {
      return new Rank(
          line.rank(),
          node,
          time(line.local()),
          time(line.begin()),
          time(line.exec()),
          time(line.end()),
          stagesNs,
          Optional.of(line.network()).filter(name -> !name.isEmpty()),
          Optional.of(line.evidence()).filter(text -> !text.isEmpty()));
    }
  }

  /** Some ranks; {@code next} is the parameter {@code after} of the next page. */
  public record Ranks(List<Rank> ranks, Optional<String> next) {}

  /** Launches that belong together, and how long their stages took. */
  public record Group(String group, long launches, long ranks, Map<String, StageFigures> stages) {}

  /** All groups. */
  public record Groups(List<Group> groups) {}

  private static Optional<Long> time(long value) {
    return value == RankLine.ABSENT ? Optional.empty() : Optional.of(value);
  }
}
