package io.hpcrun.daemon.store;

/**
 * What tells a launch from all others. Job numbers come again after a cluster was set up anew; the
 * moment at which the batch script began tells them apart.
 *
 * @param cluster Slurm's name of the cluster
 * @param uid whose launch it is
 * @param launch job, restart and number in the job, such as {@code 12_3.0.0}
 * @param begunNs when the batch script began, in nanoseconds since the epoch
 */
public record LaunchKey(String cluster, long uid, String launch, long begunNs) {
  /** The job's id, such as {@code 12_3}. */
  public String job() {
    int end = launch.indexOf('.');
    return end < 0 ? launch : launch.substring(0, end);
  }
}
