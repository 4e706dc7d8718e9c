package io.hpcrun.slurm;

import java.util.Comparator;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What Slurm says of one run of a job. A job that was requeued has several runs.
 *
 * @param job the job
 * @param state Slurm's name of the state, such as {@code RUNNING}, or {@link #LOST}
 * @param exitCode exit code of the batch script
 * @param signal signal that ended the batch script, 0 for none
 * @param restarts how often the job was requeued before this run; empty where Slurm does not say
 * @param partition the partition it runs in
 * @param user the owner's name
 * @param nodes the nodes, such as {@code c[1-2]}; empty before the start
 * @param times when it was submitted, could start, started and ended
 */
public record JobState(
    JobId job,
    String state,
    int exitCode,
    int signal,
    OptionalInt restarts,
    String partition,
    String user,
    String nodes,
    Times times) {
  /** The state of a run that is over and that Slurm knows nothing of any more; not Slurm's word. */
  public static final String LOST = "lost";

  /** The state of a run that is over and after which the job went back to the queue. */
  public static final String REQUEUED = "REQUEUED";

  /** Runs in the order in which they started; those that have not are last. */
  static final Comparator<JobState> BY_START =
      Comparator.comparingLong(run -> run.times().start().orElse(Long.MAX_VALUE));

  /** Times in seconds since the epoch; each empty while it is not known. */
  public record Times(
      OptionalLong submit, OptionalLong eligible, OptionalLong start, OptionalLong end) {
    /** No time is known. */
    public static final Times UNKNOWN =
        new Times(
            OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());
  }

  /** A run of which only this is known. */
  public static JobState of(JobId job, String state) {
    return new JobState(job, state, 0, 0, OptionalInt.empty(), "", "", "", Times.UNKNOWN);
  }

  /** Whether this run is over, whatever becomes of the job. */
  public boolean ended() {
    return isEnd(state);
  }

  /** Whether this is the state of a run that is over. */
  public static boolean isEnd(String state) {
    return JobStatus.ENDED.contains(state) || state.equals(LOST) || state.equals(REQUEUED);
  }
}
