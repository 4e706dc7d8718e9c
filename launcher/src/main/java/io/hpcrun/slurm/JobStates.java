package io.hpcrun.slurm;

import io.hpcrun.failure.Failure;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Tells the states of many jobs at once. */
public interface JobStates {
  /**
   * What the controller knows: jobs that wait, run, or ended a short time ago ({@code MinJobAge}).
   *
   * @param cluster the cluster's name; empty for the cluster that Slurm's commands talk to
   * @param jobs the jobs; those unknown to the controller are missing in the answer
   * @throws Failure with exit code 4 when Slurm does not answer
   */
  List<JobState> queued(String cluster, Collection<JobId> jobs);

  /**
   * What accounting knows: all runs of the jobs, ordered by their starts. A run without an end may
   * be over all the same: accounting learns of ends from the controller, later or never.
   *
   * @param cluster the cluster's name; empty for the cluster that Slurm's commands talk to
   * @param jobs the jobs; those unknown to accounting are missing in the answer
   * @return empty where there is no accounting
   * @throws Failure with exit code 4 when accounting does not answer
   */
  Optional<List<JobState>> accounted(String cluster, Collection<JobId> jobs);
}
