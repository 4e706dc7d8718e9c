package io.hpcrun.daemon.jobs;

import java.time.Duration;

/**
 * How often Slurm is asked.
 *
 * @param first how long after its begin a launch is asked about for the first time, and the
 *     shortest time between two queries; the time is doubled while nothing changes
 * @param longest the longest time between two questions about a launch
 * @param longestWithoutAccounting the same where only the controller knows how jobs ended; shorter
 *     than Slurm's MinJobAge, after which it forgets them
 */
public record Rhythm(Duration first, Duration longest, Duration longestWithoutAccounting) {
  /**
   * 30 s to 10 min; 2 min without accounting, as MinJobAge is 300 s unless slurm.conf says else.
   */
  public static final Rhythm DEFAULT =
      new Rhythm(Duration.ofSeconds(30), Duration.ofMinutes(10), Duration.ofMinutes(2));
}
