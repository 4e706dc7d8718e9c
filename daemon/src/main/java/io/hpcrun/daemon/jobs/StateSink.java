package io.hpcrun.daemon.jobs;

import io.hpcrun.slurm.JobState;

/** Takes what Slurm says of launches. */
@FunctionalInterface
public interface StateSink {
  /**
   * Takes a state, when it is the first or another than before.
   *
   * @param launch the launch, as it was listed
   * @param state its job's state; its {@code user} is the owner by Slurm's word, and a record that
   *     names another user's job must not get it. {@link JobState#LOST} has no user.
   */
  void update(OpenLaunch launch, JobState state);
}
