package io.hpcrun.daemon.store;

import io.hpcrun.slurm.JobState;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What became of a launch: its own record tells, or Slurm does where no record came. What is known
 * first stands; a record that comes after Slurm's word changes the launch, and not its outcome.
 */
public enum LaunchOutcome {
  /** Its ranks ended with exit code 0. */
  COMPLETED,
  /** They ended with another one. */
  FAILED,
  /** hpcrun refused to start the ranks. */
  REFUSED,
  /** Slurm's word, of a launch that left no record of its end; so are those that follow. */
  CANCELLED,
  /** The job's time was over. */
  TIMEOUT,
  /** A node failed. */
  NODE_FAIL,
  /** There was not enough memory. */
  OUT_OF_MEMORY,
  /** Another job took its place. */
  PREEMPTED,
  /** It could not have ended before its deadline. */
  DEADLINE,
  /** A node did not start. */
  BOOT_FAIL,
  /** Another cluster of a federation took it. */
  REVOKED,
  /** The job went back to the queue. */
  REQUEUED,
  /** Nobody knows. */
  LOST,
  /** It is over, and nothing of the above was told. */
  OTHER;

  /** The name in metrics. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The outcome, as far as it is known.
   *
   * @param state how far the launch's records tell it is
   * @param exitCode the launch step's exit code
   * @param slurmState what Slurm said of a launch whose records do not tell its end
   */
  static Optional<LaunchOutcome> of(
      LaunchState state, OptionalLong exitCode, Optional<String> slurmState) {
    return switch (state) {
      case REFUSED -> Optional.of(REFUSED);
      case ENDED ->
          Optional.of(exitCode.isEmpty() ? OTHER : exitCode.getAsLong() == 0 ? COMPLETED : FAILED);
      case RUNNING, UNKNOWN -> slurmState.filter(JobState::isEnd).map(LaunchOutcome::named);
    };
  }

  private static LaunchOutcome named(String slurmState) {
    return Arrays.stream(values())
        .filter(each -> each != REFUSED && each.name().equalsIgnoreCase(slurmState))
        .findFirst()
        .orElse(OTHER);
  }
}
