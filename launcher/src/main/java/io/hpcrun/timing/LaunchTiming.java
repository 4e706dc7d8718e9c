package io.hpcrun.timing;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * How long each stage of a launch took, on each node and over all, from files or from the daemon's
 * store. Nodes are read one after the other; only their summaries are kept.
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

  /** However many there are, and whatever their records say. */
  private static final int MOST_REMARKS = 100;

  private static final int MOST_NAMES = 100;
  private static final String OTHERS = "other";

  private final boolean keepsNodes;
  private final Map<String, Where> modes = new TreeMap<>();
  private final Map<String, String> texts = new HashMap<>();
  private final Map<String, Long> numbers = new HashMap<>();
  private final StageDurations overall = new StageDurations();
  private final StageDurations oneNode = new StageDurations();
  private final Map<String, Map<Stage, Durations.Summary>> nodes = new TreeMap<>(new NodeOrder());
  private final Map<String, Seen> networks = new TreeMap<>();
  private final List<String> remarks = new ArrayList<>();
  private Traffic traffic;
  private long unusedPorts;
  private boolean nodeHasPorts;
  private long ranksSeen;
  private long nodesSeen;
  private long clocksOff;

  private LaunchTiming(boolean keepsNodes) {
    this.keepsNodes = keepsNodes;
  }

  /** Nodes that have something in common. */
  private static final class Where {
    private final String example;
    private long nodes;

    Where(String example) {
      this.example = example;
    }
  }

  /** Ranks that used a network, while they are counted. */
  private static final class Seen {
    private final Rank example;
    private long ranks;

    Seen(Rank example) {
      this.example = example;
    }
  }

  /**
   * Reads a launch.
   *
   * @param source the launch's records
   * @param accounting asks accounting for job times that the record lacks; keys as in the record
   */
  public static LaunchTiming read(RecordSource source, Supplier<Map<String, Long>> accounting) {
    return new LaunchTiming(true).readAll(source, accounting, null);
  }

  /**
   * Reads a launch without its nodes' figures, so that little is kept however many nodes it has.
   *
   * @param source the launch's records
   */
  public static LaunchTiming readOverall(RecordSource source) {
    return new LaunchTiming(false).readAll(source, Map::of, null);
  }

  /**
   * Reads a launch and shows its ranks.
   *
   * @param source the launch's records
   * @param accounting asks accounting for job times that the record lacks; keys as in the record
   * @param ranks takes each rank's stages while they are read
   */
  public static LaunchTiming read(
      RecordSource source, Supplier<Map<String, Long>> accounting, Consumer<Rank> ranks) {
    return new LaunchTiming(true).readAll(source, accounting, ranks);
  }

  private LaunchTiming readAll(
      RecordSource source, Supplier<Map<String, Long>> accounting, Consumer<Rank> ranks) {
    source.readLaunch(
        new RecordReader.Lines() {
          @Override
          public void head(RecordLine line) {
            texts.putAll(line.texts());
            numbers.putAll(line.numbers());
          }

          @Override
          public void rank(RankLine stray) {
            // no rank's line belongs here; what is not understood is left out
          }
        });
    if (!numbers.containsKey("submit_s") || !numbers.containsKey("start_s")) {
      accounting.get().forEach(numbers::putIfAbsent);
    }
    NodeCollector collector = new NodeCollector(ranks);
    collector.stages.job();
    source.readNodes(collector);
    collector.stages.leave();
    remarkClocks();
    remarkModes();
    remarkShell();
    remarkNetwork();
    remarkMissing();
    return this;
  }

  private LaunchTimes times() {
    return new LaunchTimes(
        texts.getOrDefault("node", ""),
        time("submit_s"),
        time("start_s"),
        time("prepare_asked_ns"),
        time("prepare_done_ns"),
        time("launch_asked_ns"),
        time("launch_done_ns"));
  }

  private long time(String name) {
    return numbers.getOrDefault(name, RankLine.ABSENT);
  }

  /** Takes the lines of the nodes; only the summaries of their durations are kept. */
  private final class NodeCollector implements RecordSource.Nodes {
    private final Consumer<Rank> ranks;
    private final LaunchStages stages;
    private Map<Stage, Long> rankStages;

    NodeCollector(Consumer<Rank> ranks) {
      this.ranks = ranks;
      stages = new LaunchStages(times(), this::add);
    }

    private void add(Stage stage, long nanoseconds, String node, long rank, long uncertainty) {
      overall.add(stage, nanoseconds, node, rank, uncertainty);
      if (keepsNodes && !stage.isOfWholeLaunch()) {
        oneNode.add(stage, nanoseconds, node, rank, uncertainty);
      }
      if (rankStages != null) {
        rankStages.put(stage, nanoseconds);
      }
    }

    @Override
    public void head(RecordLine line) {
      stages.node(line);
      noteClock(stages.nodeName(), stages.clockOff());
      noteMode(line);
      nodeHasPorts = !line.text("fabric").isEmpty();
      noteTraffic(line.number("rdma_sent_bytes"), line.number("rdma_received_bytes"));
    }

    @Override
    public void rank(RankLine line) {
      if (line.rank() == RankLine.ABSENT) {
        return;
      }
      ranksSeen++;
      rankStages = ranks == null ? null : new EnumMap<>(Stage.class);
      stages.rank(line);
      noteNetwork(line, stages.nodeName());
      if (ranks != null) {
        ranks.accept(seen(line, stages.nodeName(), rankStages));
        rankStages = null;
      }
    }

    @Override
    public void nodeIsComplete() {
      nodesSeen++;
      if (keepsNodes) {
        nodes.put(stages.nodeName(), oneNode.summaries());
        oneNode.reset();
      }
      nodeHasPorts = false;
      stages.beginNode();
    }
  }

  private static Rank seen(RankLine line, String node, Map<Stage, Long> stages) {
    return new Rank(node, line.rank(), stages, line.network(), line.evidence());
  }

  private void noteNetwork(RankLine line, String node) {
    if (line.network().isEmpty()) {
      return;
    }
    String name =
        networks.containsKey(line.network()) || networks.size() < MOST_NAMES
            ? line.network()
            : OTHERS;
    Seen seen = networks.get(name);
    if (seen == null) {
      seen = new Seen(seen(line, node, Map.of()));
      networks.put(name, seen);
    }
    seen.ranks++;
    if (nodeHasPorts && line.network().equals("tcp")) {
      unusedPorts++;
    }
  }

  private void noteClock(String node, long off) {
    if (off != 0 && ++clocksOff <= MOST_REMARKS) {
      remarks.add(
          "the clock of %s is %s by at least %s: stages across nodes are off by that much"
              .formatted(node, off > 0 ? "ahead" : "behind", Durations.show(Math.abs(off))));
    }
  }

  private void remarkClocks() {
    if (clocksOff > MOST_REMARKS) {
      remarks.add("the clocks of %d further nodes are off".formatted(clocksOff - MOST_REMARKS));
    }
  }

  private void noteTraffic(long sent, long received) {
    if (sent != RankLine.ABSENT && received != RankLine.ABSENT) {
      traffic =
          traffic == null
              ? new Traffic(sent, received)
              : new Traffic(traffic.sent() + sent, traffic.received() + received);
    }
  }

  /** How the ranks of a node came into their container, and why so if not as planned. */
  private void noteMode(RecordLine line) {
    String mode = line.text("mode");
    if (!mode.isEmpty()) {
      String reason = line.text("mode_reason");
      String full = mode + (reason.isEmpty() ? "" : ": " + reason);
      String known = modes.containsKey(full) || modes.size() < MOST_NAMES ? full : OTHERS;
      modes.computeIfAbsent(known, first -> new Where(line.text("node"))).nodes++;
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
                    .formatted(mode, where.nodes == 1 ? where.example : where.nodes + " nodes"));
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
    if (nodesSeen < expectedNodes) {
      remarks.add("%d of %d nodes left a record%s".formatted(nodesSeen, expectedNodes, soFar));
    } else if (numbers.containsKey("launch_done_ns")
        && ranksSeen < numbers.getOrDefault("ranks", 0L)) {
      remarks.add("%d of %d ranks were timed".formatted(ranksSeen, numbers.get("ranks")));
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
    return overall.summaries();
  }

  /** The measured stages of each node, nodes in the order of their numbers. */
  public Map<String, Map<Stage, Durations.Summary>> nodes() {
    return Collections.unmodifiableMap(nodes);
  }

  /** Which networks the ranks were seen to use, by their names; ranks that ended soon were not. */
  public Map<String, Network> networks() {
    Map<String, Network> counted = new TreeMap<>();
    networks.forEach((name, seen) -> counted.put(name, new Network(seen.ranks, seen.example)));
    return counted;
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
