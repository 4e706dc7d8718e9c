package io.hpcrun.daemon.jobs;

import io.hpcrun.slurm.JobId;
import java.time.Instant;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A launch that is not known to be over.
 *
 * @param cluster the cluster's name
 * @param job its job
 * @param restart how often the job had been requeued before
 * @param since when the batch script began, by the clock of its node
 */
public record OpenLaunch(String cluster, JobId job, int restart, Instant since) {
  private static final Pattern LAUNCH = Pattern.compile("([0-9_+]+)\\.([0-9]{1,9})\\.[0-9]+");

  /**
   * A launch by its name in the records.
   *
   * @param launch {@code JOB.RESTART.NUMBER}, such as {@code 12_3.0.0}
   * @return empty when the name is none
   */
  public static Optional<OpenLaunch> of(String cluster, String launch, Instant since) {
    Matcher matcher = LAUNCH.matcher(launch);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    int restart = Integer.parseInt(matcher.group(2));
    return JobId.parse(matcher.group(1)).map(job -> new OpenLaunch(cluster, job, restart, since));
  }
}
