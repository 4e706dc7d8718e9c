package io.hpcrun.timing;

import static io.hpcrun.timing.RankLine.ABSENT;

import java.util.EnumMap;
import java.util.Map;

/**
 * Makes the stages of a launch from the times in its records: the one place that knows which time
 * begins and which ends a stage. Call {@link #job}, then for each node {@link #beginNode}, {@link
 * #node} and {@link #rank}, then {@link #leave}. Not thread-safe.
 */
public final class LaunchStages {
  private static final long SECOND = 1_000_000_000L;

  /** Stages that a node measures as a whole, and what their times are called in its record. */
  private static final Map<Stage, String> NODE_STAGES =
      new EnumMap<>(
          Map.of(
              Stage.CHECK, "check",
              Stage.STAGE, "stage",
              Stage.HOLD, "hold",
              Stage.ENTER, "probe",
              Stage.TEARDOWN, "release"));

  /** Takes the durations of stages. */
  public interface Sink {
    /**
     * Takes one duration.
     *
     * @param stage the stage that took it
     * @param nanoseconds how long, not negative
     * @param node where it was measured; empty if nowhere
     * @param rank which rank, or -1 for a duration of the whole node or job
     * @param uncertainty how far it may be off, in nanoseconds
     */
    void add(Stage stage, long nanoseconds, String node, long rank, long uncertainty);
  }

  private final LaunchTimes launch;
  private final Sink sink;
  private String node = "";
  private long uncertainty;
  private long endResolution;
  private long clockOff;
  private long lastEnd = ABSENT;
  private String lastEndNode = "";
  private long lastEndUncertainty;

  /** The stages of a launch with these times go to the sink. */
  public LaunchStages(LaunchTimes launch, Sink sink) {
    this.launch = launch;
    this.sink = sink;
  }

  /** Makes the stages that only the launch's own record tells. */
  public void job() {
    if (launch.submit() != ABSENT && launch.start() != ABSENT) {
      add(Stage.QUEUE, (launch.start() - launch.submit()) * SECOND, "", -1, SECOND);
    }
    if (launch.start() != ABSENT && launch.prepareAsked() != ABSENT) {
      long start = launch.start() * SECOND;
      add(Stage.SCRIPT, launch.prepareAsked() - start, launch.batchNode(), -1, SECOND);
    }
    interval(Stage.PREPARE, launch.prepareAsked(), launch.prepareDone(), launch.batchNode(), -1, 0);
  }

  /** The lines of another node follow. */
  public void beginNode() {
    node = "";
    uncertainty = 0;
    endResolution = 0;
    clockOff = 0;
  }

  /** Makes the stages that a node measures as a whole, from its own line. */
  public void node(RecordLine line) {
    node = line.text("node");
    compareClocks(line);
    endResolution = Math.max(0, line.number("end_resolution_ns"));
    NODE_STAGES.forEach(
        (stage, name) ->
            interval(
                stage,
                line.number(name + "_begin_ns"),
                line.number(name + "_end_ns"),
                node,
                -1,
                0));
  }

  /** Makes the stages of a rank of the node; its line has a rank's number. */
  public void rank(RankLine line) {
    interval(Stage.SPAWN, launch.launchAsked(), line.begin(), node, line.rank(), uncertainty);
    interval(Stage.BIND, line.begin(), line.exec(), node, line.rank(), 0);
    interval(Stage.RUN, line.exec(), line.end(), node, line.rank(), endResolution);
    if (line.end() != ABSENT && line.end() > lastEnd) {
      lastEnd = line.end();
      lastEndNode = node;
      lastEndUncertainty = uncertainty + endResolution;
    }
  }

  /** Makes the stage that follows the end of the last rank of all nodes. */
  public void leave() {
    interval(Stage.LEAVE, lastEnd, launch.launchDone(), lastEndNode, -1, lastEndUncertainty);
  }

  /** The node's name; empty before its own line. */
  public String nodeName() {
    return node;
  }

  /**
   * By how much the node's clock is ahead of the batch node's at least, in nanoseconds; negative if
   * it is behind, 0 if both may be right.
   */
  public long clockOff() {
    return clockOff;
  }

  /**
   * How far a node's clock may be from the batch node's: the node's checks happened between the
   * batch node's asking and its answer, which bounds the difference from both sides.
   */
  private void compareClocks(RecordLine line) {
    long begin = line.number("check_begin_ns");
    long ready = line.number("ready_ns");
    long end = ready == ABSENT ? line.number("check_end_ns") : ready;
    if (node.equals(launch.batchNode())
        || launch.prepareAsked() == ABSENT
        || launch.prepareDone() == ABSENT
        || begin == ABSENT
        || end == ABSENT) {
      return;
    }
    long least = end - launch.prepareDone();
    long most = begin - launch.prepareAsked();
    clockOff = least > 0 ? least : Math.min(most, 0);
    uncertainty = Math.max(Math.abs(least), Math.abs(most));
  }

  private void interval(Stage stage, long from, long to, String where, long rank, long off) {
    // A negative interval means two clocks that disagree: absent, never guessed.
    if (from != ABSENT && to != ABSENT && to >= from) {
      add(stage, to - from, where, rank, off);
    }
  }

  private void add(Stage stage, long nanoseconds, String where, long rank, long off) {
    if (nanoseconds >= 0) { // also of numbers that overflow
      sink.add(stage, nanoseconds, where, rank, off);
    }
  }
}
