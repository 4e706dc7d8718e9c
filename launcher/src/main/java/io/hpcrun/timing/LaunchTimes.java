package io.hpcrun.timing;

/**
 * The times in a launch's own record that its stages are made from; {@link RankLine#ABSENT} for one
 * that was not measured.
 *
 * @param batchNode the node whose clock told them, or the empty text
 * @param submit when the job was submitted, in seconds since the epoch
 * @param start when it started, likewise
 * @param prepareAsked when the nodes were asked to prepare, in nanoseconds since the epoch
 * @param prepareDone when all had answered, likewise
 * @param launchAsked when the launch step was asked for, likewise
 * @param launchDone when it was over, likewise
 */
public record LaunchTimes(
    String batchNode,
    long submit,
    long start,
    long prepareAsked,
    long prepareDone,
    long launchAsked,
    long launchDone) {
  /** The times of a launch's line. */
  public static LaunchTimes of(RecordLine line) {
    return new LaunchTimes(
        line.text("node"),
        line.number("submit_s"),
        line.number("start_s"),
        line.number("prepare_asked_ns"),
        line.number("prepare_done_ns"),
        line.number("launch_asked_ns"),
        line.number("launch_done_ns"));
  }
}
