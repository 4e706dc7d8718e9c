package io.hpcrun.daemon.jobs;

import io.hpcrun.failure.Failure;
import io.hpcrun.slurm.JobId;
import io.hpcrun.slurm.JobState;
import io.hpcrun.slurm.JobStates;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** A Slurm in memory: what its controller and its accounting know, and what they were asked. */
final class ScriptedSlurm implements JobStates {
  final List<JobState> controller = new ArrayList<>();
  final List<JobState> accounting = new ArrayList<>();
  final List<Collection<JobId>> askedController = new ArrayList<>();
  final List<Collection<JobId>> askedAccounting = new ArrayList<>();
  boolean hasAccounting = true;
  boolean controllerAnswers = true;
  boolean accountingAnswers = true;

  @Override
  public List<JobState> queued(String cluster, Collection<JobId> jobs) {
    askedController.add(List.copyOf(jobs));
    if (!controllerAnswers) {
      throw Failure.slurm("slurmctld is silent", "wait");
    }
    return controller.stream().filter(state -> isAsked(jobs, state)).toList();
  }

  @Override
  public Optional<List<JobState>> accounted(String cluster, Collection<JobId> jobs) {
    askedAccounting.add(List.copyOf(jobs));
    if (!accountingAnswers) {
      throw Failure.slurm("slurmdbd is silent", "wait");
    }
    return hasAccounting
        ? Optional.of(accounting.stream().filter(state -> isAsked(jobs, state)).toList())
        : Optional.empty();
  }

  private static boolean isAsked(Collection<JobId> jobs, JobState state) {
    return jobs.stream().anyMatch(job -> job.isAnsweredBy(state.job()));
  }

  /** A run as the controller tells of it. */
  static JobState queued(String job, String state, int restarts) {
    return run(job, state, OptionalInt.of(restarts), JobState.Times.UNKNOWN);
  }

  /** A run as accounting tells of it, with its start and its end in epoch seconds, 0 for none. */
  static JobState accounted(String job, String state, long start, long end) {
    return run(
        job,
        state,
        OptionalInt.empty(),
        new JobState.Times(seconds(start), seconds(start), seconds(start), seconds(end)));
  }

  private static JobState run(
      String job, String state, OptionalInt restarts, JobState.Times times) {
    JobId id = JobId.parse(job).orElseThrow();
    return new JobState(id, state, 0, 0, restarts, "main", "alice", "c1", times);
  }

  private static OptionalLong seconds(long time) {
    return time == 0 ? OptionalLong.empty() : OptionalLong.of(time);
  }
}
