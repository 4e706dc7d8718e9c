package io.hpcrun.timing;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * How long each stage of a launch took, on each node and over all. Node records are read one after
 * the other; only their summaries are kept.
 */
public final class LaunchTiming {
  /**
   * A rank's stages, in nanoseconds.
   *
   * @param node its node
   * @param rank its number in the launch
   * @param stages the stages that were measured
   * @param network what it used: {@code rdma}, {@code tcp} or {@code unknown}; empty if it was not
   *     looked at
   * @param evidence what that is known from
   */
  public record Rank(
      String node, long rank, Map<Stage, Long> stages, String network, String evidence) {}

  /**
   * Ranks that used a network.
   *
   * @param ranks how many
   * @param example one of them, with the evidence
   */
  public record Network(long ranks, Rank example) {}

  /**
   * What the RDMA ports of the nodes moved while the launch was there; also what others sent
   * through them.
   *
   * @param sent bytes, over all nodes
   * @param received bytes, over all nodes
   */
  public record Traffic(long sent, long received) {}

  /** Stages that a node measures as a whole, and what their times are called in its record. */
  private static final Map<Stage, String> NODE_STAGES =
      Map.of(
          Stage.CHECK, "check",
          Stage.STAGE, "stage",
          Stage.HOLD, "hold",
          Stage.ENTER, "probe",
          Stage.TEARDOWN, "release");

  private final Map<String, List<String>> modes = new TreeMap<>();
  private final Map<String, String> texts = new HashMap<>();
  private final Map<String, Long> numbers = new HashMap<>();
  private final Map<Stage, Durations> overall = new EnumMap<>(Stage.class);
  private final Map<Stage, Durations> oneNode = new EnumMap<>(Stage.class);
  private final Map<String, Map<Stage, Durations.Summary>> nodes = new TreeMap<>(new NodeOrder());
  private final Map<String, Network> networks = new TreeMap<>();
  private final List<String> remarks = new ArrayList<>();
  private Traffic traffic;
  private long unusedPorts;
  private long ranksSeen;
  private long lastEnd = Long.MIN_VALUE;
  private String lastEndNode = "";
  private long lastEndUncertainty;

  private LaunchTiming() {}

  /**
   * Reads a launch.
   *
   * @param launch the launch's files
   * @param accounting asks accounting for job times that the record lacks; keys as in the record
   * @param ranks takes each rank's stages while they are read
   */
  public static LaunchTiming read(
      RecordDirectory.Launch launch,
      java.util.function.Supplier<Map<String, Long>> accounting,
      Consumer<Rank> ranks) {
    LaunchTiming timing = new LaunchTiming();
    RecordReader.read(
        launch.file(),
        line -> {
          timing.texts.putAll(line.texts());
          timing.numbers.putAll(line.numbers());
        });
    if (!timing.numbers.containsKey("submit_s") || !timing.numbers.containsKey("start_s")) {
      accounting.get().forEach(timing.numbers::putIfAbsent);
    }
    timing.readJobStages();
    try (DirectoryStream<Path> files = launch.nodeFiles()) {
      for (Path file : files) {
        timing.readNode(file, ranks);
      }
    } catch (NoSuchFileException removed) {
      throw Failure.usage(
          "the records of " + launch.id() + " were removed while they were read", "try again");
    } catch (IOException unreadable) {
      throw Failure.usage(
          "the records of " + launch.id() + " cannot be read: " + unreadable.getMessage(),
          "check the permissions of " + launch.file().getParent());
    }
    timing.readLeave();
    timing.remarkModes();
    timing.remarkShell();
    timing.remarkNetwork();
    timing.remarkMissing();
    return timing;
  }

  private void readJobStages() {
    String node = texts.getOrDefault("node", "");
    Long submit = numbers.get("submit_s");
    Long start = numbers.get("start_s");
    if (submit != null && start != null) {
      add(overall, Stage.QUEUE, (start - submit) * 1_000_000_000L, "", -1, 1_000_000_000L);
    }
    Long asked = numbers.get("prepare_asked_ns");
    if (start != null && asked != null) {
      add(overall, Stage.SCRIPT, asked - start * 1_000_000_000L, node, -1, 1_000_000_000L);
    }
    interval(numbers.get("prepare_asked_ns"), numbers.get("prepare_done_ns"))
        .ifPresent(duration -> add(overall, Stage.PREPARE, duration, node, -1, 0));
  }

  private void readNode(Path file, Consumer<Rank> ranks) {
    oneNode.values().forEach(Durations::reset);
    String[] node = {""};
    long[] uncertainty = {0, 0};
    long[] ports = {0};
    RecordReader.read(
        file,
        line -> {
          if (line.text("type").equals("node")) {
            node[0] = line.text("node");
            uncertainty[0] = clockUncertainty(node[0], line);
            Long resolution = line.number("end_resolution_ns");
            uncertainty[1] = resolution == null ? 0 : resolution;
            NODE_STAGES.forEach(
                (stage, name) ->
                    interval(line.number(name + "_begin_ns"), line.number(name + "_end_ns"))
                        .ifPresent(duration -> addBoth(stage, duration, node[0], -1, 0)));
            noteMode(line);
            ports[0] = line.text("fabric").isEmpty() ? 0 : 1;
            addTraffic(line.number("rdma_sent_bytes"), line.number("rdma_received_bytes"));
          } else {
            readRank(line, node[0], uncertainty[0], uncertainty[1], ports[0] > 0, ranks);
          }
        });
    Map<Stage, Durations.Summary> summaries = new EnumMap<>(Stage.class);
    oneNode.forEach(
        (stage, durations) -> {
          if (!durations.isEmpty()) {
            summaries.put(stage, durations.summary());
          }
        });
    nodes.put(node[0], summaries);
  }

  private void addTraffic(Long sent, Long received) {
    if (sent != null && received != null) {
      traffic =
          traffic == null
              ? new Traffic(sent, received)
              : new Traffic(traffic.sent() + sent, traffic.received() + received);
    }
  }

  private void readRank(
      RecordReader.Line line,
      String node,
      long uncertainty,
      long endResolution,
      boolean hasPorts,
      Consumer<Rank> ranks) {
    Long rank = line.number("rank");
    if (rank == null) {
      return;
    }
    ranksSeen++;
    Map<Stage, Long> stages = new EnumMap<>(Stage.class);
    Long end = line.number("end_ns");
    interval(numbers.get("launch_asked_ns"), line.number("begin_ns"))
        .ifPresent(d -> stages.put(Stage.SPAWN, d));
    interval(line.number("begin_ns"), line.number("exec_ns"))
        .ifPresent(d -> stages.put(Stage.BIND, d));
    interval(line.number("exec_ns"), end).ifPresent(d -> stages.put(Stage.RUN, d));
    stages.forEach(
        (stage, duration) ->
            addBoth(
                stage,
                duration,
                node,
                rank,
                switch (stage) {
                  case SPAWN -> uncertainty;
                  case RUN -> endResolution;
                  default -> 0;
                }));
    if (end != null && end > lastEnd) {
      lastEnd = end;
      lastEndNode = node;
      lastEndUncertainty = uncertainty + endResolution;
    }
    Rank seen = new Rank(node, rank, stages, line.text("network"), line.text("evidence"));
    if (!seen.network().isEmpty()) {
      networks.merge(
          seen.network(),
          new Network(1, seen),
          (one, other) -> new Network(one.ranks() + other.ranks(), one.example()));
    }
    if (hasPorts && seen.network().equals("tcp")) {
      unusedPorts++;
    }
    ranks.accept(seen);
  }

  private void readLeave() {
    Long done = numbers.get("launch_done_ns");
    if (done != null && lastEnd != Long.MIN_VALUE) {
      interval(lastEnd, done)
          .ifPresent(d -> add(overall, Stage.LEAVE, d, lastEndNode, -1, lastEndUncertainty));
    }
  }

  /** How the ranks of a node came into their container, and why so if not as planned. */
  private void noteMode(RecordReader.Line line) {
    String mode = line.text("mode");
    if (!mode.isEmpty()) {
      String reason = line.text("mode_reason");
      modes
          .computeIfAbsent(mode + (reason.isEmpty() ? "" : ": " + reason), m -> new ArrayList<>())
          .add(line.text("node"));
    }
  }

  private void remarkModes() {
    String planned = texts.getOrDefault("mode", "");
    List<String> seen = modes.keySet().stream().map(mode -> mode.split(":")[0]).distinct().toList();
    if (seen.isEmpty()) {
      return;
    }
    texts.put("mode", String.join(" and ", seen));
    modes.forEach(
        (mode, where) -> {
          String wanted = planned.equals("auto") ? "join" : planned;
          if (!planned.isEmpty() && !mode.split(":")[0].equals(wanted)) {
            remarks.add(
                "mode %s (%s)"
                    .formatted(
                        mode, where.size() == 1 ? where.getFirst() : where.size() + " nodes"));
          }
        });
  }

  private void remarkShell() {
    String reason = texts.getOrDefault("entered_by_reason", "");
    if (!reason.isEmpty()) {
      remarks.add("hpcrun-enter could not be used, so ranks entered by the shell: " + reason);
    }
  }

  private void remarkNetwork() {
    if (unusedPorts > 0) {
      remarks.add(
          "%s used TCP, although %s RDMA ports that are up ('hpcrun topo --node=NODE')"
              .formatted(
                  unusedPorts == 1 ? "1 rank" : unusedPorts + " ranks",
                  unusedPorts == 1 ? "its node has" : "their nodes have"));
    }
  }

  private void remarkMissing() {
    if (texts.getOrDefault("state", "").equals("refused")) {
      return;
    }
    String soFar = texts.getOrDefault("state", "").equals("running") ? " so far" : "";
    long expectedNodes = numbers.getOrDefault("nodes", 0L);
    if (nodes.size() < expectedNodes) {
      remarks.add("%d of %d nodes left a record%s".formatted(nodes.size(), expectedNodes, soFar));
    } else if (numbers.containsKey("launch_done_ns")
        && ranksSeen < numbers.getOrDefault("ranks", 0L)) {
      remarks.add("%d of %d ranks were timed".formatted(ranksSeen, numbers.get("ranks")));
    }
  }

  /**
   * How far a node's clock may be from the batch node's: the node's checks happened between the
   * batch node's asking and its answer, which bounds the difference from both sides.
   */
  private long clockUncertainty(String node, RecordReader.Line line) {
    Long asked = numbers.get("prepare_asked_ns");
    Long done = numbers.get("prepare_done_ns");
    Long begin = line.number("check_begin_ns");
    Long end = line.number(line.number("ready_ns") == null ? "check_end_ns" : "ready_ns");
    if (node.equals(texts.get("node")) || asked == null || done == null || begin == null) {
      return 0;
    }
    long least = end - done;
    long most = begin - asked;
    if (least > 0 || most < 0) {
      remarks.add(
          "the clock of %s is %s by at least %s: stages across nodes are off by that much"
              .formatted(
                  node, least > 0 ? "ahead" : "behind", Durations.show(least > 0 ? least : -most)));
    }
    return Math.max(Math.abs(least), Math.abs(most));
  }

  private static java.util.OptionalLong interval(Long from, Long to) {
    // A negative interval means two clocks that disagree: absent, never guessed.
    return from == null || to == null || to < from
        ? java.util.OptionalLong.empty()
        : java.util.OptionalLong.of(to - from);
  }

  private void addBoth(Stage stage, long duration, String node, long rank, long uncertainty) {
    add(overall, stage, duration, node, rank, uncertainty);
    add(oneNode, stage, duration, node, rank, uncertainty);
  }

  private static void add(
      Map<Stage, Durations> to, Stage stage, long duration, String node, long rank, long off) {
    if (duration >= 0) {
      to.computeIfAbsent(stage, s -> new Durations()).add(duration, node, rank, off);
    }
  }

  /** Texts of the launch's record: image, mode, mpi, state and so on (docs/records.md). */
  public Map<String, String> texts() {
    return Map.copyOf(texts);
  }

  /** Numbers of the launch's record: nodes, ranks, exit and times (docs/records.md). */
  public Map<String, Long> numbers() {
    return Map.copyOf(numbers);
  }

  /** The measured stages over all nodes, in their order. */
  public Map<Stage, Durations.Summary> overall() {
    Map<Stage, Durations.Summary> summaries = new EnumMap<>(Stage.class);
    overall.forEach((stage, durations) -> summaries.put(stage, durations.summary()));
    return summaries;
  }

  /** The measured stages of each node, nodes in the order of their numbers. */
  public Map<String, Map<Stage, Durations.Summary>> nodes() {
    return java.util.Collections.unmodifiableMap(nodes);
  }

  /** Which networks the ranks were seen to use, by their names; ranks that ended soon were not. */
  public Map<String, Network> networks() {
    return java.util.Collections.unmodifiableMap(networks);
  }

  /** What the nodes' RDMA ports moved; empty if there are none, or their counters are not known. */
  public Optional<Traffic> traffic() {
    return Optional.ofNullable(traffic);
  }

  /** Adds what a reader of the figures must know. */
  public void remark(String remark) {
    remarks.add(remark);
  }

  /** What a reader of the figures must know, such as clocks that disagree. */
  public List<String> remarks() {
    return List.copyOf(remarks);
  }
}
