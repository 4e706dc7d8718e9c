package io.hpcrun.daemon.jobs;

import io.hpcrun.slurm.JobState;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Finds a launch's own run among those of its job: a requeued job has several. */
final class LaunchRun {
  private LaunchRun() {}

  /** The run in the controller's answer; it knows only the last one of each job. */
  static Optional<JobState> inQueue(OpenLaunch launch, List<JobState> queued) {
    return queued.stream()
        .filter(state -> launch.job().isAnsweredBy(state.job()))
        .filter(state -> state.restarts().orElse(launch.restart()) == launch.restart())
        .findFirst();
  }

  /** Whether the controller has requeued the job since: then this launch is over. */
  static boolean wasRequeued(OpenLaunch launch, List<JobState> queued) {
    return queued.stream()
        .filter(state -> launch.job().isAnsweredBy(state.job()))
        .anyMatch(state -> state.restarts().orElse(launch.restart()) > launch.restart());
  }

  /**
   * The run in accounting's answer: the one that the launch's begin lies in or next to, as
   * accounting does not count restarts before 24.11. One that has no end there tells nothing: the
   * controller knows that it is over, or does not know it.
   */
  static Optional<JobState> inAccounting(OpenLaunch launch, List<JobState> runs) {
    long since = launch.since().getEpochSecond();
    return runs.stream()
        .filter(run -> launch.job().isAnsweredBy(run.job()))
        .filter(run -> run.times().start().isPresent())
        .min(Comparator.comparingLong(run -> distance(run.times(), since)))
        .filter(JobState::ended);
  }

  private static long distance(JobState.Times run, long second) {
    long before = run.start().getAsLong() - second;
    long after = second - run.end().orElse(Long.MAX_VALUE);
    return Math.max(0, Math.max(before, after));
  }
}
